"""The set-up check: what is wrong with an address, a sign-in or a role, each with its remedy.

Asks a few harmless questions and reports findings in order; after one that makes the rest pointless it stops. What is
done about them is the reader's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from orosync.core.records import Entity
from orosync.core.webhooks import TOPICS
from orosync.errors import AccountBlocked, OrosyncError, SignInNeeded, Unreachable
from orosync.oro import capabilities, webhooks
from orosync.oro.answers import PLURAL
from orosync.oro.client import OroClient, date_of

HARMLESS = frozenset({"clock", "webhooks", *(entity.value for entity in Entity)})
SKEW = timedelta(seconds=15)  # `Created` is set 20 seconds back


@dataclass(frozen=True, slots=True)
class Finding:
    """what: url, connection, certificate, clock, sign_in, api, profile, contact, task, event, webhooks. message and
    remedy: for people. fingerprint: SHA-256 (hex) of the certificate that is not trusted, to be compared and pinned."""

    ok: bool
    what: str
    message: str
    remedy: str = ""
    fingerprint: str | None = None

    @property
    def blocks(self) -> bool:
        """True if nothing can be synced so. A clock that is off blocks nothing by itself: where it does, the sign-in is
        refused; and of an entity that may not be read the others go on."""
        return not self.ok and self.what not in HARMLESS


@dataclass(frozen=True, slots=True)
class Offers:
    """The ways to sign in that an OroCRM has, as far as it tells a stranger. Both are missing in its answers, or
    `oauth` alone is there, while its API is switched off."""

    wsse: bool
    oauth: bool


def offers(client: OroClient) -> Offers:
    """Asks without signing in. Raises Throttled and Unreachable."""
    return Offers(capabilities.offers_wsse(client), capabilities.offers_oauth(client))


def of_error(error: OrosyncError) -> Finding:
    """What a request that got no usable answer tells."""
    met = error.fingerprint if isinstance(error, Unreachable) else None
    return Finding(False, "certificate" if met else "connection", error.message, error.remedy, met)


def check(
    client: OroClient,
    entities: Collection[Entity] = tuple(Entity),
    *,
    wsse: bool = True,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> list[Finding]:
    """wsse: the account signs in with an API key. now: for the comparison of clocks. Raises nothing."""
    try:
        return _check(client, entities, wsse=wsse, now=now)
    except OrosyncError as error:  # in the middle of the questions: the network, or an OroCRM under repair
        return [of_error(error)]


def _check(
    client: OroClient, entities: Collection[Entity], *, wsse: bool, now: Callable[[], datetime]
) -> list[Finding]:
    findings = _check_unsigned(client, wsse=wsse, now=now)
    if any(each.blocks for each in findings):
        return findings
    signed = _sign_in(client, wsse=wsse)
    findings.append(signed)
    if not signed.ok:
        return findings
    return [*findings, *(_entity(client, entity) for entity in entities), *_webhooks(client, entities)]


def check_unsigned(
    client: OroClient, *, wsse: bool, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> list[Finding]:
    """What can be found out before anybody signed in: the beginning of `check`. Raises nothing."""
    try:
        return _check_unsigned(client, wsse=wsse, now=now)
    except OrosyncError as error:
        return [of_error(error)]


def _check_unsigned(client: OroClient, *, wsse: bool, now: Callable[[], datetime]) -> list[Finding]:
    status, headers, text = client.get_unsigned("/api/contacts?page[size]=1")
    if wrong := _address(client, status, headers, text):
        return [wrong]
    findings = [Finding(True, "url", f"An OroCRM answers at {client.base_url}.")]
    if wsse and (skew := _clock(headers, now())):
        findings.append(skew)
    # A switched-off API answers 404 to everybody, where one that is on asks for a sign-in.
    if status == 404:
        return [*findings, _api_off()]
    if wsse and status == 401 and not headers.get("WWW-Authenticate", "").upper().startswith("WSSE"):
        return [*findings, _no_wsse()]
    if not wsse and not capabilities.offers_oauth(client):
        return [*findings, _no_oauth()]
    return findings


def _address(client: OroClient, status: int, headers: Mapping[str, str], text: str) -> Finding | None:
    """None if it is OroCRM's API that answers: 401 with an empty body, or JSON:API."""
    remedy = "Give the address of the back office without the page behind it; OroCommerce needs its /admin as well."
    if 300 <= status < 400:
        return Finding(False, "url", f"{client.base_url} sends requests on to another page.", remedy)
    kind = headers.get("Content-Type", "").split(";")[0].strip().lower()
    if status == 401 and ("WWW-Authenticate" in headers or kind == "application/vnd.api+json"):
        return None
    if kind == "application/vnd.api+json" and status < 500:
        return None
    if status >= 500:
        return Finding(False, "url", f"{client.base_url} fails with status {status}.", "Try again later.")
    what = "a web page" if "html" in kind or text.lstrip()[:1] == "<" else f"status {status}"
    return Finding(False, "url", f"{client.base_url} is no OroCRM: its API address answers with {what}.", remedy)


def _clock(headers: Mapping[str, str], now: datetime) -> Finding | None:
    """WSSE allows no `Created` in the future (auth-wsse-future-created), and an hour of past."""
    theirs = date_of(headers)
    if theirs is None:
        return None
    ahead = now - theirs
    if -timedelta(minutes=50) < ahead < SKEW:
        return None
    seconds, way = abs(int(ahead.total_seconds())), "ahead of" if ahead > timedelta() else "behind"
    return Finding(
        False, "clock", f"This machine's clock is {seconds} seconds {way} OroCRM's.",
        "Set the clocks by a time server; an API key is refused when they are apart.",
    )  # fmt: skip


def _api_off() -> Finding:
    return Finding(
        False, "api", "The API of this OroCRM is switched off (as it is after installation).",
        'An administrator of OroCRM switches it on: System > Configuration > Integrations > Web API, "Enable API".',
    )  # fmt: skip


def _no_wsse() -> Finding:
    return Finding(
        False, "sign_in", "This OroCRM takes no API keys any more (WSSE went with 6.1).",
        "Sign in with OAuth: an administrator makes an OAuth application in OroCRM and gives you id and secret.",
    )  # fmt: skip


def _no_oauth() -> Finding:
    return Finding(
        False, "sign_in", "This OroCRM has no OAuth.",
        "Sign in with an API key, or ask its administrator for the package oro/oauth2-server.",
    )  # fmt: skip


def _sign_in(client: OroClient, *, wsse: bool) -> Finding:
    try:
        signed = capabilities.readable(client)
    except AccountBlocked:
        return _api_off()
    except SignInNeeded as refused:
        if not wsse:
            return Finding(False, "sign_in", refused.message, refused.remedy)
        return Finding(
            False, "sign_in", "OroCRM refuses user name and API key; it does not say which of three causes it is.",
            "1. The key is wrong: it is made on the user's page (Generate key) and is not the password. 2. The user "
            "name is wrong: upper and lower case count. 3. This machine's clock is ahead of OroCRM's.",
        )  # fmt: skip
    if not signed:
        return Finding(False, "sign_in", "Signed in, but OroCRM shows nothing.", "Check the user's role.")
    try:
        capabilities.user(client)
    except SignInNeeded as hidden:
        return Finding(False, "profile", hidden.message, hidden.remedy)
    return Finding(True, "sign_in", "The sign-in works.")


def _entity(client: OroClient, entity: Entity) -> Finding:
    answer = capabilities.probe(client, entity)
    name = PLURAL[entity]
    if answer.ok:
        return Finding(True, entity.value, f"{name.capitalize()} can be read.")
    if answer.status == 403:
        what = f"the permission to view {name}" + (" and calendars" if entity is Entity.EVENT else "")
        return Finding(
            False, entity.value, f"This OroCRM user may not see {name}.",
            f"Ask the administrator of OroCRM for {what}, or switch {name} off in the settings.",
        )  # fmt: skip
    return Finding(
        False, entity.value, f"This OroCRM answers a request for {name} with status {answer.status}.",
        f"Switch {name} off in the settings, or ask its administrator for the package that has them.",
    )  # fmt: skip


def _webhooks(client: OroClient, entities: Collection[Entity]) -> list[Finding]:
    """Only to be known: without them changes of OroCRM are found by asking, somewhat later."""
    try:
        offered = webhooks.offered(client)
    except OrosyncError:
        return []  # what a user's role, or a moment's trouble, hides is no reason to be told of
    if offered is None:
        return []  # before 7.0.2
    have = {TOPICS[name].entity for name in offered}
    names = [PLURAL[entity] for entity in entities if entity not in have]
    missing = " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
    if not missing:
        return [Finding(True, "webhooks", "OroCRM can tell at once when something changes (webhooks).")]
    return [
        Finding(
            True, "webhooks", f"OroCRM could tell us of changes at once, but its webhooks are off for {missing}.",
            "If that is wanted, its administrator allows webhooks for these entities: System > Entities > Entity "
            "Management. Until then changes are found by asking.",
        )
    ]  # fmt: skip
