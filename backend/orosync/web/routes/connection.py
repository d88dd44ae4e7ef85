"""`/connection`: which OroCRM the caller's mailbox is kept in step with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flask.views import MethodView

from orosync import bootstrap
from orosync.bootstrap import Connection, Finding
from orosync.config import check_listed_oro_url
from orosync.core.ledger import Account
from orosync.core.records import Json
from orosync.errors import BadInput
from orosync.web.accounts import before_removal, mine
from orosync.web.blueprint import Blueprint
from orosync.web.oro_sign_in import Consented, offered, put_back, redeem_oro_code
from orosync.web.parts import parts
from orosync.web.principal import Principal, signed_in
from orosync.web.problems import Clash, Invalid
from orosync.web.schemas.connection import CheckBody, CheckResult, ConnectionBody, ConnectionSchema, OptionsSchema

blueprint = Blueprint("connection", __name__, description="The connection of one's mailbox with an OroCRM user.")


@blueprint.route("/connection")
class TheConnection(MethodView):
    @blueprint.response(200, ConnectionSchema)
    def get(self) -> Json:
        """One's connection; 404 `not_connected` if there is none yet."""
        return _told(mine().account)

    @blueprint.arguments(ConnectionBody)
    @blueprint.response(200, ConnectionSchema)
    @blueprint.alt_response(201, schema=ConnectionSchema, description="It is new.")
    def put(self, body: Json) -> Any:
        """Connect, or sign in to OroCRM anew. It is tried first, and saved if it works (else 422 with findings)."""
        principal = signed_in()
        former = parts().account_of(principal)
        _must_be_possible(principal, body, former)
        access = parts().mailbox_access.grant(principal)
        wanted = _as_wanted(principal, body, former)
        _must_work(principal, wanted)
        _save(principal, former, wanted.account, wanted.secrets, access)
        return _told(mine().account), 200 if former is not None else 201

    @blueprint.response(204)
    def delete(self) -> None:
        """Forget the account with its links, history and secrets; records stay as they are on both sides."""
        account = mine().account
        if account.state == "disabled":  # whoever connects anew would have switched it on again
            raise Clash(
                "Your account is switched off by an administrator.",
                remedy="Ask an administrator to remove it.",
                code="disabled",
            )
        before_removal(account)
        parts().database.accounts.remove(account.id)


@blueprint.route("/connection/options")
@blueprint.response(200, OptionsSchema)
def options() -> Json:
    """What may be connected here."""
    signed_in()
    config = parts().config
    plain = [host for host in config.oro_hosts if not host.startswith("*.")]
    scheme = "http" if parts().demo else "https"
    return {
        "hosts": list(config.oro_hosts),
        "self_signed_allowed": config.allow_self_signed,
        "suggested_url": f"{scheme}://{plain[0]}" if len(plain) == 1 else None,
        "authorization_code": offered(config),
    }


@blueprint.route("/connection/check", methods=["POST"])
@blueprint.arguments(CheckBody)
@blueprint.response(200, CheckResult)
def check(body: Json) -> Json:
    """Try a connection without saving it; with an empty body the stored one. Only reads."""
    principal = signed_in()
    if not body["orocrm_url"]:
        findings = bootstrap.check_account(
            parts().config, parts().database, mine().account, adapters=parts().adapters, clock=parts().clock
        )
    else:
        wanted = _as_wanted(principal, body, parts().account_of(principal))
        findings = _tried(wanted)
        _put_back(principal, wanted)
    return {"ok": all(each.ok for each in findings), "findings": [each.to_json() for each in findings]}


@dataclass
class _Wanted:
    """An account as it would be, with its secrets. consented, code: of a sign-in on OroCRM's own page."""

    account: Account
    secrets: Connection
    code: str = ""
    consented: Consented | None = None


def _as_wanted(principal: Principal, body: Json, former: Account | None) -> _Wanted:
    """Raises BadInput for an address or certificate that is not allowed, Problem for a code that is not (any more)."""
    config = parts().config
    url = check_listed_oro_url(body["orocrm_url"], "orocrm_url", config)
    account = Account(
        name=former.name if former else _free_name(principal),
        mailbox=_mailbox_of(principal),
        orocrm_url=url,
        orocrm_user=body["orocrm_user"],
        oro_auth=body["orocrm_auth"],
        graph_auth=parts().mailbox_access.graph_auth,
        certificate=bootstrap.checked_certificate(config, body["certificate"]),
        organisation=principal.tenant,
        owner=principal.owner,
        id=former.id if former else 0,
    )
    if account.oro_auth == "authorization-code" and body["code"]:
        consented = redeem_oro_code(parts(), principal, body["code"], url)
        account = replace(account, orocrm_user=consented.user or account.orocrm_user, certificate=consented.certificate)
        return _Wanted(account, consented.connection, body["code"], consented)
    secrets = Connection(oro=body["secret"], oro_client=body["client_id"], oro_client_secret=body["client_secret"])
    if former is None and not secrets.oro:
        field = "code" if account.oro_auth == "authorization-code" else "secret"
        raise Invalid("OroCRM's secret is missing.", [{"field": field, "message": "Give it."}], field=field)
    return _Wanted(account, secrets)


def _mailbox_of(principal: Principal) -> str:
    """A token need not name an address; the object id names the same mailbox."""
    return principal.address or principal.object_id


def _free_name(principal: Principal) -> str:
    """The address, for people who read logs and lists; with a number behind it if somebody had it before."""
    taken = {each.name for each in parts().database.accounts.all()}
    base = _mailbox_of(principal)
    return next(name for name in (base, *(f"{base} ({n})" for n in range(2, len(taken) + 3))) if name not in taken)


def _must_be_possible(principal: Principal, body: Json, former: Account | None) -> None:
    """Two accounts of one mailbox would double each other's records, and links mean nothing in another OroCRM."""
    _must_be_free(principal)
    url = check_listed_oro_url(body["orocrm_url"], "orocrm_url", parts().config)
    if former is not None and former.orocrm_url != url:
        raise Clash(
            f"Your mailbox is connected with {former.orocrm_url}.",
            remedy="Disconnect it first; all records stay where they are.",
            code="other_orocrm",
            field="orocrm_url",
        )


def _must_be_free(principal: Principal) -> None:
    others = parts().database.accounts.of_mailbox(_mailbox_of(principal))
    if any(each.owner != principal.owner for each in others):
        raise Clash(
            f"The mailbox {_mailbox_of(principal)} is connected already, by the operator or in another person's name.",
            remedy="Ask the administrator to remove that account.",
            code="mailbox_taken",
        )


def _must_work(principal: Principal, wanted: _Wanted) -> None:
    findings = _tried(wanted)
    if wrong := [each for each in findings if each.blocks]:
        _put_back(principal, wanted)
        shown = [each.to_json() for each in findings]
        raise Invalid(wrong[0].message, code="connection_refused", remedy=wrong[0].remedy, findings=shown)


def _tried(wanted: _Wanted) -> list[Finding]:
    """Tokens that had to be renewed take the place of the given ones, which are void then."""

    def renewed(secrets: Connection) -> None:
        wanted.secrets = secrets

    return bootstrap.check_connection(
        parts().config,
        parts().database,
        wanted.account,
        wanted.secrets,
        adapters=parts().adapters,
        clock=parts().clock,
        renewed=renewed,
    )


def _put_back(principal: Principal, wanted: _Wanted) -> None:
    if wanted.consented is not None:
        put_back(parts(), principal, wanted.code, wanted.consented, wanted.secrets)


def _save(principal: Principal, former: Account | None, wanted: Account, secrets: Connection, access: str) -> None:
    """Trying it took a while: what was asked before is asked again. Raises Clash if the answer is another one now."""
    database = parts().database
    with database.transaction():
        current = parts().account_of(principal)
        if (current.id if current else None) != (former.id if former else None):
            raise _changed_meanwhile()
        _must_be_free(principal)
        if former is None:
            account = replace(wanted, id=_added(wanted))
        else:
            database.accounts.reconnect(wanted)
            account = wanted
            if current is not None and current.state == "suspended":
                database.accounts.enable(account.id, parts().clock.now())
        bootstrap.save_connection(database, account, secrets)
        bootstrap.save_mailbox_access(database, account, access)
        bootstrap.look_soon(database, account.id, parts().clock.now())


def _added(wanted: Account) -> int:
    try:
        return parts().database.accounts.add(wanted)
    except BadInput as error:  # the name is the mailbox's: somebody connected it at the same moment
        raise _changed_meanwhile() from error


def _changed_meanwhile() -> Clash:
    return Clash("The connection was changed by another request meanwhile.", remedy="Look at it, then try again.")


def _told(account: Account) -> Json:
    return {
        "orocrm_url": account.orocrm_url,
        "orocrm_auth": account.oro_auth,
        "orocrm_user": account.orocrm_user,
        "mailbox": account.mailbox,
        "state": account.state,
        "state_reason": account.state_reason,
        "state_since": account.state_since.strftime("%Y-%m-%dT%H:%M:%SZ") if account.state_since else None,
        "certificate": account.certificate,
    }
