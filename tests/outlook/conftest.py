import pytest
from tests.outlook.driving import Tenant

from orosync.outlook.mailbox import OutlookMailbox
from orosync.sandbox.graph.mailbox import Mailbox


@pytest.fixture
def tenant() -> Tenant:
    return Tenant()


@pytest.fixture
def mailbox(tenant: Tenant) -> Mailbox:
    """As its owner sees it."""
    return tenant.mailbox


@pytest.fixture
def outlook(tenant: Tenant) -> OutlookMailbox:
    """As a run sees it."""
    return tenant.outlook()
