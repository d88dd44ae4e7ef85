"""The web application with its real parts, and the threads behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask

from orosync.bootstrap.parts import SystemClock
from orosync.bootstrap.product_files import product_file
from orosync.config import Config
from orosync.jobs.handlers import Requested
from orosync.jobs.threads import ThreadQueue
from orosync.store.database import Database
from orosync.sync.ports import Clock
from orosync.web.app import create_app
from orosync.web.parts import Authenticator, MailboxAccess, Parts
from orosync.web.sign_in.on_behalf_of import OnBehalfOf
from orosync.web.sign_in.tokens import EntraTokens


def build_app(
    config: Config,
    database: Database,
    *,
    authenticator: Authenticator | None = None,
    mailbox_access: MailboxAccess | None = None,
    adapters: Mapping[str, Any] | None = None,
    clock: Clock | None = None,
    demo: bool = False,
) -> tuple[Flask, Callable[[], None]]:
    """The application, and what stops its threads.

    Without other parts people sign in with Entra ID: raises ConfigurationError if the configuration is not enough.
    demo: the parts of a demonstration are only ever given by the program, never by configuration.
    """
    time = clock or SystemClock()
    who = authenticator or EntraTokens(config)
    access = mailbox_access or OnBehalfOf(config, adapters=adapters)
    queue = ThreadQueue(Requested(config, database, clock=time, adapters=adapters), database)
    parts = Parts(
        config=config,
        database=database,
        clock=time,
        queue=queue,
        authenticator=who,
        mailbox_access=access,
        adapters=adapters,
        demo=demo,
    )
    return create_app(parts, pane=product_file("addin")), queue.stop
