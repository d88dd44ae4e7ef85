"""msal signs in at the simulated Entra ID (graph-api.md 13)."""

import re
from datetime import UTC, datetime
from typing import Any

import msal
import pytest
import requests
from tests.sandbox.graph_caller import UPN, Caller, new_caller

SCOPES = ["https://graph.microsoft.com/Contacts.ReadWrite"]


@pytest.fixture
def caller() -> Caller:
    caller = new_caller()
    caller.graph.register_client("client-1", "s3cret")
    return caller


def application(caller: Caller, secret: str = "s3cret", **more: Any) -> msal.ConfidentialClientApplication:
    session = requests.Session()
    session.mount("https://", caller.session.get_adapter("https://x"))
    return msal.ConfidentialClientApplication(
        "client-1",
        client_credential=secret,
        authority=f"https://login.microsoftonline.com/{caller.graph.tenant_id}",
        http_client=session,
        **more,
    )


@pytest.fixture
def caller_now(caller: Caller) -> Caller:
    """msal checks identity tokens against the real clock."""
    caller.graph.clock = lambda: datetime.now(UTC)
    return caller


def test_an_application_signs_in_with_its_secret(caller: Caller) -> None:
    result = application(caller).acquire_token_for_client(["https://graph.microsoft.com/.default"])
    headers = {"Authorization": f"Bearer {result['access_token']}"}
    assert caller.get(f"/users/{UPN}", headers=headers)["mail"] == UPN
    wrong = application(caller, "wrong").acquire_token_for_client(["https://graph.microsoft.com/.default"])
    assert wrong["error"] == "invalid_client"


def test_a_refresh_token_works_once_and_not_after_it_was_revoked(caller_now: Caller) -> None:
    graph = caller_now.graph
    first = graph.issue_refresh_token(UPN)
    result = application(caller_now).acquire_token_by_refresh_token(first, SCOPES)
    headers = {"Authorization": f"Bearer {result['access_token']}"}
    assert caller_now.get("/me", headers=headers)["mail"] == UPN
    assert result["refresh_token"] != first
    assert application(caller_now).acquire_token_by_refresh_token(first, SCOPES)["error"] == "invalid_grant"
    graph.revoke_refresh_tokens(UPN)
    again = application(caller_now).acquire_token_by_refresh_token(result["refresh_token"], SCOPES)
    assert again["error"] == "invalid_grant"


def test_a_person_signs_in_by_code_and_is_renewed_silently(caller_now: Caller) -> None:
    cache = msal.SerializableTokenCache()
    app = application(caller_now, token_cache=cache)
    flow = app.initiate_auth_code_flow(
        SCOPES, redirect_uri="https://addin.example/back", login_hint=UPN, response_mode="form_post"
    )
    page = caller_now.session.get(flow["auth_uri"]).text
    answer = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page))
    result = app.acquire_token_by_auth_code_flow(flow, answer)
    assert result["id_token_claims"]["preferred_username"] == UPN
    (account,) = app.get_accounts()
    renewed = app.acquire_token_silent_with_error(SCOPES, account, force_refresh=True)
    assert renewed["access_token"] != result["access_token"]
    with pytest.raises(ValueError, match="state"):
        app.acquire_token_by_auth_code_flow(flow, {**answer, "state": "x"})
    caller_now.graph.revoke_refresh_tokens()
    refused = app.acquire_token_silent_with_error(SCOPES, account, force_refresh=True)
    assert refused["error"] == "invalid_grant"
