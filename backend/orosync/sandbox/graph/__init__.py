"""A simulated Microsoft Graph with behaviour: mailboxes in memory behind Graph's real paths.

What it does and where that is documented stands in the README beside this file.
"""

from orosync.sandbox.graph.app import create_graph_app
from orosync.sandbox.graph.items import Kind, Mail
from orosync.sandbox.graph.mailbox import Mailbox
from orosync.sandbox.graph.properties import ExtendedValues
from orosync.sandbox.graph.sandbox import GraphSandbox, LoggedRequest
from orosync.sandbox.graph.settings import GraphSettings
from orosync.sandbox.graph.wire import GraphFault

__all__ = [
    "ExtendedValues",
    "GraphFault",
    "GraphSandbox",
    "GraphSettings",
    "Kind",
    "LoggedRequest",
    "Mail",
    "Mailbox",
    "create_graph_app",
]
