"""Which access tokens are accepted, and whom they speak for, against a sign-in service with real keys and HTTPS."""

from __future__ import annotations

import logging
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.web.identity_provider import (
    API,
    PARTNER,
    TENANT,
    IdentityProvider,
    Person,
    Served,
    anna,
    parts_of,
    put_together,
    running,
)
from tests.web.sign_in_world import certificate_authority, config_for, first_key, second_key

from orosync.config import Config
from orosync.errors import ConfigurationError
from orosync.web.problems import NotAllowed, NotSignedIn, Problem
from orosync.web.sign_in.tokens import EntraTokens, api_scope

ADMIN_ROLE = "Orosync.Admin"
GROUP = "cccccccc-0000-4000-8000-00000000000c"


@pytest.fixture(scope="module")
def service() -> Iterator[Served]:
    with running(IdentityProvider(first_key()), certificate_authority()) as served:
        yield served


@pytest.fixture
def provider(service: Served) -> IdentityProvider:
    """As it is on the first day."""
    service.provider.keys, service.provider.fetched_keys, service.provider.down = [first_key()], 0, ""
    return service.provider


@pytest.fixture
def config(provider: IdentityProvider, tmp_path: Path) -> Config:
    return config_for(provider, tmp_path)


@pytest.fixture
def tokens(config: Config, service: Served) -> EntraTokens:
    return EntraTokens(config, ssl_context=service.trust)


def refused(tokens: EntraTokens, token: str) -> Problem:
    with pytest.raises(Problem) as caught:
        tokens.authenticate(token)
    assert token not in str(caught.value), "an error is no place for a token"
    return caught.value


def test_a_good_token_says_who_asks(tokens: EntraTokens, provider: IdentityProvider) -> None:
    token = provider.access_token()
    principal = tokens.authenticate(token)
    assert principal.owner == f"{TENANT}:{anna().oid}"
    assert (principal.name, principal.address) == ("Anna Berg", "anna@contoso.example")
    assert (principal.is_admin, principal.is_home) == (False, True)
    assert principal.assertion == token
    assert token not in repr(principal)


def test_clocks_may_differ_by_a_little(tokens: EntraTokens, provider: IdentityProvider) -> None:
    now = int(time.time())
    tokens.authenticate(provider.access_token(exp=now - 20))
    tokens.authenticate(provider.access_token(nbf=now + 20, iat=now + 20))


Forge = Callable[[IdentityProvider], str]


def _without_signature(provider: IdentityProvider) -> str:
    header, claims, _ = parts_of(provider.access_token())
    return put_together(header | {"alg": "none"}, claims)


def _with_the_public_key_as_password(provider: IdentityProvider) -> str:
    """The classic: whoever lets the token choose the algorithm takes the public key for a shared secret."""
    key = provider.keys[0]
    encoded = jwt.encode({}, "x" * 32, algorithm="HS256", headers={"kid": key.kid})
    header, _, _ = parts_of(encoded)
    unsigned = put_together(header, provider.claims(provider.person))[:-1]
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(
        unsigned.encode(), key.public_pem
    )
    return f"{unsigned}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def _changed_after_signing(provider: IdentityProvider) -> str:
    header, claims, signature = parts_of(provider.access_token())
    return put_together(header, claims | {"oid": GROUP}, signature)


def _with(**claims: Any) -> Forge:
    return lambda provider: provider.access_token(**claims)


def _in_the_words_of_version_1(provider: IdentityProvider) -> str:
    issuer = f"https://sts.windows.net/{TENANT}/"
    return provider.access_token(aud=f"api://{API}", iss=issuer, ver="1.0")


def _another_algorithm(provider: IdentityProvider) -> str:
    claims = provider.claims(provider.person)
    return jwt.encode(claims, provider.keys[0].private, algorithm="RS512", headers={"kid": provider.keys[0].kid})


def _key_of_a_stranger(provider: IdentityProvider) -> str:
    stranger = replace(second_key(), kid=provider.keys[0].kid)
    return provider.sign(provider.claims(provider.person), stranger)


def _without_key_id(provider: IdentityProvider) -> str:
    return jwt.encode(provider.claims(provider.person), provider.keys[0].private, algorithm="RS256")


def _key_brought_along(provider: IdentityProvider) -> str:
    stranger = second_key()
    headers = {"kid": stranger.kid, "jwk": stranger.published(), "jku": "https://127.0.0.1:9/keys"}
    return jwt.encode(provider.claims(provider.person), stranger.private, algorithm="RS256", headers=headers)


NOW = int(time.time())
WRONG: dict[str, tuple[Forge, int, str]] = {
    "no signature": (_without_signature, 401, "signed"),
    "HS256 with the public key": (_with_the_public_key_as_password, 401, "signed"),
    "changed after signing": (_changed_after_signing, 401, "not signed by Entra ID"),
    "another algorithm": (_another_algorithm, 401, "signed"),
    "a stranger's key under a known name": (_key_of_a_stranger, 401, "not signed by Entra ID"),
    "an unknown key": (lambda provider: provider.sign(provider.claims(anna()), second_key()), 401, "key"),
    "no key named": (_without_key_id, 401, "signed"),
    "a key brought along": (_key_brought_along, 401, "key"),
    "for Graph": (_with(aud="https://graph.microsoft.com"), 401, "another application"),
    "for api://": (_with(aud=f"api://{API}"), 401, "another application"),
    "for several": (_with(aud=[API, "https://graph.microsoft.com"]), 401, "another application"),
    "for nobody": (_with(aud=None), 401, "lacks"),
    "version 1": (_in_the_words_of_version_1, 401, "another application"),
    "another issuer": (_with(iss="https://login.evil.example/v2.0"), 401, "another issuer"),
    "no issuer": (_with(iss=None), 401, "lacks"),
    "issuer of another tenant": (_with(tid=PARTNER), 401, "another issuer"),
    "another tenant": (lambda provider: provider.access_token(replace(anna(), tenant=PARTNER)), 403, "organisation"),
    "no tenant": (_with(tid=None), 401, "who asks (tid)"),
    "a tenant that is no id": (_with(tid="contoso.com"), 401, "who asks (tid)"),
    "expired": (_with(exp=NOW - 300), 401, "expired"),
    "without end": (_with(exp=None), 401, "lacks"),
    "not yet valid": (_with(nbf=NOW + 3000), 401, "not valid yet"),
    "without beginning": (_with(nbf=None), 401, "lacks"),
    "an end that is no time": (_with(exp="tomorrow"), 401, "no access token"),
    "an end beyond all numbers": (_with(exp=float("inf")), 401, "no access token"),
    "no permission": (_with(scp="openid profile"), 403, "access_as_user"),
    "a permission that begins like ours": (_with(scp="access_as_user2"), 403, "access_as_user"),
    "of an application": (_with(scp=None, roles=["access_as_user"]), 403, "access_as_user"),
    "of an application that says so": (_with(idtyp="app"), 403, "access_as_user"),
    "no person": (_with(oid=None), 401, "who asks (oid)"),
    "a person that is no id": (_with(oid={"a": 1}), 401, "who asks (oid)"),
}


@pytest.mark.parametrize(("forge", "status", "told"), WRONG.values(), ids=WRONG.keys())
def test_a_token_that_is_wrong_in_one_thing_is_refused(
    tokens: EntraTokens, provider: IdentityProvider, forge: Forge, status: int, told: str
) -> None:
    problem = refused(tokens, forge(provider))
    assert problem.status == status
    assert isinstance(problem, NotSignedIn if status == 401 else NotAllowed)
    assert told in problem.message
    assert problem.remedy
    challenge = problem.headers.get("WWW-Authenticate", "")
    if status == 401:
        assert challenge.startswith("Bearer ")
        assert 'error="invalid_token"' in challenge
    elif "access_as_user" in problem.message:
        assert 'error="insufficient_scope"' in challenge


def test_a_token_of_version_1_tells_the_administrator_what_to_change(
    tokens: EntraTokens, provider: IdentityProvider
) -> None:
    assert "requestedAccessTokenVersion" in refused(tokens, _in_the_words_of_version_1(provider)).remedy


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "ü.ü.ü",
        "\0",
        "Bearer x",
        "e30.e30.e30",
        "x" * 100_000,
        urlsafe_b64encode(b"[" * 20_000).decode() + ".e30.e30",
        urlsafe_b64encode(b'{"alg":"RS256","kid":' + b"9" * 5_000 + b"}").decode() + ".e30.e30",
        put_together({"alg": "RS256", "kid": ["key-1"]}, {}, "AAAA"),
        put_together({"alg": "RS256", "kid": "key-1", "crit": ["b64"], "b64": False}, {}, "AAAA"),
        put_together({"alg": "RS256", "kid": "key-1"}, {}, "AAAA"),
    ],
    ids=range(14),
)
def test_garbage_is_refused_and_breaks_nothing(tokens: EntraTokens, garbage: str) -> None:
    with pytest.raises(NotSignedIn):
        tokens.authenticate(garbage)


@given(
    st.text(max_size=60) | st.lists(st.binary(max_size=40).map(lambda b: urlsafe_b64encode(b).decode())).map(".".join)
)
def test_no_text_whatever_breaks_the_check(text: str) -> None:
    with pytest.raises(NotSignedIn):
        _offline().authenticate(text)


def _offline() -> EntraTokens:
    provider = IdentityProvider(first_key())
    provider.base = "https://127.0.0.1:9"
    return EntraTokens(config_for(provider, Path("unused")))


# keys


def test_keys_are_fetched_once_for_many_tokens(tokens: EntraTokens, provider: IdentityProvider) -> None:
    for _ in range(20):
        tokens.authenticate(provider.access_token())
    assert provider.fetched_keys == 1


def test_a_storm_of_unknown_keys_does_not_reach_the_sign_in_service(
    tokens: EntraTokens, provider: IdentityProvider
) -> None:
    good = provider.access_token()
    tokens.authenticate(good)
    for number in range(50):
        assert refused(tokens, provider.sign(provider.claims(anna()), replace(second_key(), kid=f"k{number}")))
    assert provider.fetched_keys == 1
    tokens.authenticate(good)


def test_a_new_key_of_the_service_is_learnt_and_a_withdrawn_one_forgotten(
    config: Config, service: Served, provider: IdentityProvider
) -> None:
    tokens = EntraTokens(config, ssl_context=service.trust, new_keys_after_s=0)
    old = provider.access_token()
    tokens.authenticate(old)
    provider.keys = [second_key()]
    tokens.authenticate(provider.access_token())
    assert provider.fetched_keys == 2
    assert "key" in refused(tokens, old).message


@pytest.mark.parametrize("how", ["keys", "html", "empty"])
def test_without_keys_it_is_not_the_persons_fault(tokens: EntraTokens, provider: IdentityProvider, how: str) -> None:
    token = provider.access_token()
    provider.down = how
    problem = refused(tokens, token)
    assert (problem.status, problem.code) == (503, "try_later")
    assert "OROSYNC_AUTHORITY" in problem.remedy
    assert int(problem.headers["Retry-After"]) > 0
    assert "WWW-Authenticate" not in problem.headers


def test_a_service_that_does_not_answer_is_asked_once_by_all_who_wait(
    tokens: EntraTokens, provider: IdentityProvider
) -> None:
    provider.down = "keys"
    for _ in range(10):
        assert refused(tokens, provider.access_token()).status == 503
    assert provider.fetched_keys == 1


def test_known_keys_still_work_while_the_service_is_away(
    config: Config, service: Served, provider: IdentityProvider
) -> None:
    tokens = EntraTokens(config, ssl_context=service.trust, new_keys_after_s=0)
    good = provider.access_token()
    tokens.authenticate(good)
    provider.down = "all"
    assert refused(tokens, provider.sign(provider.claims(anna()), second_key())).status == 503
    assert tokens.authenticate(good).name == "Anna Berg"


def test_keys_of_a_service_whose_certificate_nobody_vouches_for_are_not_taken(
    config: Config, provider: IdentityProvider
) -> None:
    assert refused(EntraTokens(config), provider.access_token()).status == 503
    assert provider.fetched_keys == 0


# who is who


def test_other_tenants_may_sign_in_where_they_are_listed(
    config: Config, service: Served, provider: IdentityProvider
) -> None:
    both = replace(config, allowed_tenants=(TENANT, PARTNER))
    guest = Person("0b0b0b0b-1111-4111-8111-111111111111", "Ben", "ben@partner.example", tenant=PARTNER)
    principal = EntraTokens(both, ssl_context=service.trust).authenticate(provider.access_token(guest))
    assert principal.owner == f"{PARTNER}:{guest.oid}"
    assert not principal.is_home


@pytest.mark.parametrize(
    ("admins", "person", "is_admin"),
    [
        ((), anna(), False),
        ((anna().oid,), anna(), True),
        ((anna().oid.upper(),), anna(), True),
        ((f"{TENANT}:{anna().oid}",), anna(), True),
        ((ADMIN_ROLE,), replace(anna(), roles=["Reader", ADMIN_ROLE]), True),
        ((ADMIN_ROLE,), replace(anna(), roles=[ADMIN_ROLE.lower()]), False),
        ((ADMIN_ROLE,), replace(anna(), roles=["Reader"], name=ADMIN_ROLE, address=ADMIN_ROLE), False),
        ((GROUP,), replace(anna(), groups=[GROUP]), True),
        ((GROUP,), replace(anna(), groups=[PARTNER]), False),
        ((ADMIN_ROLE,), replace(anna(), roles=[ADMIN_ROLE], tenant=PARTNER), False),
        ((GROUP,), replace(anna(), groups=[GROUP], tenant=PARTNER), False),
        ((anna().oid,), replace(anna(), tenant=PARTNER), False),
        ((f"{PARTNER}:{anna().oid}",), replace(anna(), tenant=PARTNER), True),
    ],
    ids=["nobody", "by id", "in capitals", "with tenant", "by role", "role in other letters", "by name alone",
         "by group", "by another group", "role of a partner", "group of a partner", "same id at a partner's",
         "a listed partner"],
)  # fmt: skip
def test_administrators_are_named_by_the_operator_and_never_by_a_partner(
    config: Config, service: Served, provider: IdentityProvider, admins: tuple[str, ...], person: Person, is_admin: bool
) -> None:
    listed = replace(config, admins=admins, allowed_tenants=(TENANT, PARTNER))
    tokens = EntraTokens(listed, ssl_context=service.trust)
    assert tokens.authenticate(provider.access_token(person)).is_admin is is_admin


def test_roles_and_names_of_a_strange_shape_do_not_matter(tokens: EntraTokens, provider: IdentityProvider) -> None:
    token = provider.access_token(roles="Orosync.Admin", groups=[1, None], name=["x"], preferred_username=7)
    principal = tokens.authenticate(token)
    assert (principal.name, principal.address, principal.is_admin) == ("", "", False)


def test_the_web_application_does_not_start_half_configured(config: Config) -> None:
    with pytest.raises(ConfigurationError, match="OROSYNC_TENANT_ID"):
        EntraTokens(replace(config, tenant_id="contoso.com"))


def test_a_token_is_asked_for_by_the_bare_id_of_the_application(config: Config) -> None:
    assert api_scope(config) == f"{API}/access_as_user"


def test_nothing_of_a_token_is_logged(
    tokens: EntraTokens, provider: IdentityProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    good, bad = provider.access_token(), _changed_after_signing(provider)
    tokens.authenticate(good)
    refused(tokens, bad)
    for part in {*good.split("."), *bad.split("."), "anna@contoso.example"}:
        assert part not in caplog.text
