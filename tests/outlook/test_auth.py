"""Access tokens through msal against the simulated sign-in service (graph-api.md 13)."""

import json
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from tests.outlook.driving import CONTACT, SIGN_IN_URL, UPN, Tenant

from orosync.errors import AccountBlocked, SignInNeeded, Unreachable
from orosync.outlook.auth import ClientCredentials, Delegated, StaticToken, TokenSource
from orosync.sandbox.transport import ConnectionDropped

AUTHORITY = f"{SIGN_IN_URL}/contoso"
SCOPES = ("https://graph.microsoft.com/Contacts.ReadWrite",)


class Stopwatch:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Vault:
    """Where a user's cache is kept; says when it is held."""

    def __init__(self) -> None:
        self.text: str | None = None
        self.saved = 0
        self.held = False

    def load(self) -> str | None:
        assert self.held
        return self.text

    def save(self, text: str) -> None:
        assert self.held
        self.text = text
        self.saved += 1

    @contextmanager
    def lock(self) -> Any:
        assert not self.held
        self.held = True
        yield
        self.held = False


@pytest.fixture
def network(tenant: Tenant) -> requests.Session:
    session = requests.Session()
    session.mount("https://", tenant.adapter)
    tenant.graph.register_client("app", "s3cret")
    return session


@pytest.fixture
def watch() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def app_tokens(network: requests.Session, watch: Stopwatch) -> Callable[..., ClientCredentials]:
    def build(**changes: Any) -> ClientCredentials:
        options = {"client_id": "app", "credential": "s3cret", "authority": AUTHORITY, **changes}
        return ClientCredentials(http_client=network, monotonic=watch, **options)

    return build


@pytest.fixture
def vault() -> Vault:
    return Vault()


@pytest.fixture
def user_tokens(network: requests.Session, watch: Stopwatch, vault: Vault) -> Callable[..., Delegated]:
    def build() -> Delegated:
        return Delegated(
            client_id="app",
            credential="s3cret",
            authority=AUTHORITY,
            scopes=SCOPES,
            load=vault.load,
            save=vault.save,
            lock=vault.lock,
            http_client=network,
            monotonic=watch,
        )

    return build


def granted(tenant: Tenant, token: str) -> str | None:
    return tenant.graph.tokens[token].upn


def test_a_given_token_is_used_until_it_is_refused() -> None:
    tokens: TokenSource = StaticToken("t")
    assert tokens.token() == "t"
    with pytest.raises(SignInNeeded) as raised:
        tokens.renewed("t", None)
    assert "OROSYNC_GRAPH_TOKEN" in str(raised.value)


# the application


def test_the_application_gets_a_token_of_its_own_and_keeps_it(
    tenant: Tenant, app_tokens: Callable[..., ClientCredentials], watch: Stopwatch
) -> None:
    tokens = app_tokens()
    first = tokens.token()
    assert granted(tenant, first) is None
    watch.seconds = 3000
    assert tokens.token() == first


def test_a_token_that_is_about_to_end_is_replaced(
    app_tokens: Callable[..., ClientCredentials], watch: Stopwatch
) -> None:
    tokens = app_tokens()
    first = tokens.token()
    watch.seconds = 3301
    # msal has its own cache and its own clock: what it still holds as good is taken
    assert tokens.token() == first
    assert tokens.renewed(first, None) != first


def test_a_refused_token_of_the_application_is_not_given_again(
    tenant: Tenant, app_tokens: Callable[..., ClientCredentials]
) -> None:
    tokens = app_tokens()
    first = tokens.token()
    tenant.graph.revoke_token(first)
    second = tokens.renewed(first, '{"access_token": {}}')
    assert second != first
    assert tokens.token() == tokens.renewed(first, None) == second
    assert tenant.outlook(UPN, client=tenant.client(tokens)).canary()


@pytest.mark.parametrize("changes", [{"credential": "wrong"}, {"client_id": "unknown"}])
def test_a_wrong_registration_is_the_administrators_matter(
    app_tokens: Callable[..., ClientCredentials], changes: dict[str, str]
) -> None:
    with pytest.raises(AccountBlocked) as raised:
        app_tokens(**changes).token()
    assert "OROSYNC_CLIENT_ID" in str(raised.value)
    assert "s3cret" not in str(raised.value)


def test_an_authority_that_does_not_exist_is_named(app_tokens: Callable[..., ClientCredentials]) -> None:
    with pytest.raises(AccountBlocked) as raised:
        app_tokens(authority=f"{SIGN_IN_URL}/a/b/c").token()
    assert "OROSYNC_AUTHORITY" in str(raised.value)


def test_a_sign_in_service_that_is_down_is_tried_later(
    tenant: Tenant, app_tokens: Callable[..., ClientCredentials]
) -> None:
    real = tenant.adapter.app

    def down(environ: Any, start_response: Any) -> Any:
        if environ["REQUEST_METHOD"] == "POST":
            raise ConnectionDropped("down")
        return real(environ, start_response)

    def failing(environ: Any, start_response: Any) -> Any:
        start_response("503 Service Unavailable", [])
        return [b"busy"]

    for trouble in (down, failing):
        tenant.adapter.app = trouble
        tokens = app_tokens()
        with pytest.raises(Unreachable):
            tokens.token()
        tenant.adapter.app = real
        assert tokens.token()


# a user


def test_a_users_refresh_token_gives_access_again_and_again(
    tenant: Tenant, user_tokens: Callable[..., Delegated], vault: Vault
) -> None:
    user_tokens().redeem(tenant.graph.issue_refresh_token(UPN))
    assert vault.text is not None
    first = user_tokens().token()
    assert granted(tenant, first) == UPN
    assert tenant.outlook(client=tenant.client(user_tokens())).canary()


def test_a_rotated_refresh_token_is_kept(tenant: Tenant, user_tokens: Callable[..., Delegated], vault: Vault) -> None:
    user_tokens().redeem(tenant.graph.issue_refresh_token(UPN))
    for _ in range(3):
        tokens = user_tokens()
        refused = tokens.token()
        tenant.graph.revoke_token(refused)
        assert tokens.renewed(refused, None) != refused
    [kept] = json.loads(vault.text or "")["RefreshToken"].values()
    assert kept["secret"] in tenant.graph.refresh_tokens
    assert vault.saved >= 4


def test_a_token_another_worker_renewed_already_is_not_renewed_twice(
    tenant: Tenant, user_tokens: Callable[..., Delegated]
) -> None:
    tokens = user_tokens()
    tokens.redeem(tenant.graph.issue_refresh_token(UPN))
    first = tokens.token()
    second = tokens.renewed(first, None)
    assert tokens.renewed(first, None) == second == tokens.token()


def test_a_user_whose_sign_in_was_taken_back_must_sign_in_again(
    tenant: Tenant, user_tokens: Callable[..., Delegated]
) -> None:
    tokens = user_tokens()
    tokens.redeem(tenant.graph.issue_refresh_token(UPN))
    tenant.graph.revoke_refresh_tokens()
    with pytest.raises(SignInNeeded) as raised:
        tokens.renewed(tokens.token(), None)
    assert "invalid_grant" in str(raised.value)
    assert UPN not in str(raised.value)


def test_a_refresh_token_that_is_no_good_is_the_users_matter(user_tokens: Callable[..., Delegated]) -> None:
    with pytest.raises(SignInNeeded):
        user_tokens().redeem("nonsense")


def test_without_a_stored_sign_in_the_user_is_asked(user_tokens: Callable[..., Delegated]) -> None:
    with pytest.raises(SignInNeeded):
        user_tokens().token()


def test_a_session_that_runs_out_in_the_middle_of_work_is_renewed_by_itself(
    tenant: Tenant, user_tokens: Callable[..., Delegated]
) -> None:
    tokens = user_tokens()
    tokens.redeem(tenant.graph.issue_refresh_token(UPN))
    outlook = tenant.outlook(client=tenant.client(tokens))
    tenant.clock.pass_by(hours=2)
    tenant.mailbox.user_create("contact", {"givenName": "A"})
    assert outlook.canary()
    assert outlook.discover()["containers"][CONTACT.value] != ""
