"""The way to an OroCRM: which hosts and addresses may be reached for whom.

An account that somebody connected in the pane names a host of that person's choice, and our machine goes there, again
and again, from inside the operator's network. So for such accounts, and whatever else a browser asks for, the host must
be listed and its address be of the allowed kind, at every connection. Accounts made on the command line are the
operator's own choice. (docs/decisions/0018)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orosync.bootstrap.counting import request_counter
from orosync.config import Config, check_listed_oro_url
from orosync.core.ledger import Account
from orosync.core.records import Side
from orosync.errors import AccountBlocked, BadInput
from orosync.oro.addresses import AddressRule
from orosync.oro.auth import SignIn
from orosync.oro.client import OroClient
from orosync.oro.transport import checked_fingerprint


def checked_certificate(config: Config, fingerprint: str | None) -> str | None:
    """The fingerprint of a certificate to be pinned, as 64 lower-case hex digits; None for none. Raises BadInput."""
    if not fingerprint:
        return None
    if not config.allow_self_signed:
        raise BadInput(
            "Certificates that no known authority signed are not allowed here.",
            field="certificate",
            remedy="Ask the administrator of this installation to allow them (OROSYNC_ALLOW_SELF_SIGNED=yes), or that "
            "of OroCRM for a certificate that browsers trust.",
        )
    try:
        return checked_fingerprint(fingerprint)
    except BadInput as error:
        raise BadInput(
            "This is no SHA-256 fingerprint of a certificate.", field="certificate", remedy=error.remedy
        ) from error


def client_for_account(
    config: Config, account: Account, sign_in: SignIn, adapters: Mapping[str, Any] | None
) -> OroClient:
    """Raises AccountBlocked if somebody connected it in the pane and its host is not listed (any more)."""
    if account.owner is None:
        return _client(config, account.orocrm_url, account.certificate, sign_in, adapters, None)
    try:
        return client_for_person(config, account.orocrm_url, account.certificate, sign_in, adapters)
    except BadInput as error:
        raise AccountBlocked(error.message, remedy=error.remedy) from error


def client_for_person(
    config: Config, url: str, certificate: str | None, sign_in: SignIn, adapters: Mapping[str, Any] | None
) -> OroClient:
    """For an address that came from a browser. Raises BadInput if its host is not listed."""
    checked = check_listed_oro_url(url, "orocrm_url", config)
    rule = AddressRule(private=config.allow_private_addresses, loopback=config.allow_insecure_loopback)
    return _client(config, checked, certificate, sign_in, adapters, rule)


def _client(
    config: Config,
    url: str,
    certificate: str | None,
    sign_in: SignIn,
    adapters: Mapping[str, Any] | None,
    rule: AddressRule | None,
) -> OroClient:
    return OroClient(
        url,
        sign_in,
        adapters=adapters,
        pinned_fingerprint=certificate if config.allow_self_signed else None,
        allow_loopback_http=config.allow_insecure_loopback,
        addresses=rule,
        count=request_counter(Side.ORO),
    )
