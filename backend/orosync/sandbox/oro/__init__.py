"""A simulated OroCRM: both APIs, both sign-ins, people in the back office, and a log of what it was asked."""

from orosync.sandbox.oro.app import create_oro_app
from orosync.sandbox.oro.back_office import BackOffice, RefusedEdit
from orosync.sandbox.oro.faults import LoggedRequest
from orosync.sandbox.oro.records import Mail, OroSettings, OroUser
from orosync.sandbox.oro.sandbox import OroSandbox
from orosync.sandbox.oro.wsse import header as wsse_header

__all__ = [
    "BackOffice",
    "LoggedRequest",
    "Mail",
    "OroSandbox",
    "OroSettings",
    "OroUser",
    "RefusedEdit",
    "create_oro_app",
    "wsse_header",
]
