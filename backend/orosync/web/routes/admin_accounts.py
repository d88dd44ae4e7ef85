"""`/admin/accounts`: the health of everybody's accounts, without a look at their records."""

from __future__ import annotations

import marshmallow as ma
from flask.views import MethodView

from orosync import bootstrap
from orosync.core.ledger import Account
from orosync.core.records import Entity, Json
from orosync.errors import BadInput
from orosync.web import paging
from orosync.web.blueprint import Blueprint
from orosync.web.parts import parts
from orosync.web.principal import Principal, administrator
from orosync.web.problems import NotFound
from orosync.web.run_json import as_run
from orosync.web.schemas.runs import RunSchema

blueprint = Blueprint("admin_accounts", __name__, description="For administrators: everybody's accounts.")


class AccountSchema(ma.Schema):
    id = ma.fields.Integer()
    name = ma.fields.String()
    mailbox = ma.fields.String()
    orocrm_url = ma.fields.String()
    orocrm_user = ma.fields.String()
    state = ma.fields.String()
    reason = ma.fields.String()
    since = ma.fields.String(allow_none=True)
    last_run = ma.fields.Nested(RunSchema, allow_none=True)
    linked = ma.fields.Integer()
    open_conflicts = ma.fields.Integer()
    quarantined = ma.fields.Integer()


class AccountList(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(AccountSchema))
    next = ma.fields.String(allow_none=True)


class AccountChange(ma.Schema):
    state = ma.fields.String(required=True, validate=ma.validate.OneOf(["active", "disabled"]))
    reason = ma.fields.String(load_default="", validate=ma.validate.Length(max=500))


@blueprint.route("/admin/accounts")
@blueprint.arguments(paging.PageQuery, location="query")
@blueprint.response(200, AccountList)
def accounts(query: Json) -> Json:
    """All of them, by name."""
    principal = administrator()
    found = [each for each in parts().database.accounts.all() if _may_see(principal, each)]
    chosen, following = paging.slice_of(found, query)
    return paging.page([_told(each) for each in chosen], following)


@blueprint.route("/admin/accounts/<int:account_id>")
class OneAccount(MethodView):
    @blueprint.arguments(AccountChange)
    @blueprint.response(200, AccountSchema)
    def patch(self, body: Json, account_id: int) -> Json:
        """Switch it off, or on again."""
        account = _account(account_id)
        database, now = parts().database, parts().clock.now()
        if body["state"] == "disabled":
            database.accounts.disable(account.id, body["reason"] or "switched off by an administrator", now)
        else:
            database.accounts.enable(account.id, now)
        bootstrap.look_soon(database, account.id, now)
        return _told(_account(account_id))

    @blueprint.response(204)
    def delete(self, account_id: int) -> None:
        """Forget it with its links, history and secrets; records stay on both sides."""
        parts().database.accounts.remove(_account(account_id).id)


def _account(account_id: int) -> Account:
    principal = administrator()
    try:
        account = parts().database.accounts.get(account_id)
    except BadInput as error:
        raise NotFound("There is no such account.") from error
    if not _may_see(principal, account):
        raise NotFound("There is no such account.")
    return account


def _may_see(principal: Principal, account: Account) -> bool:
    """Administrators of a guest organisation see their own."""
    return principal.is_home or account.organisation == principal.tenant


def _told(account: Account) -> Json:
    store = parts().database.account_store(account.id)
    newest = store.runs(1)
    return {
        "id": account.id,
        "name": account.name,
        "mailbox": account.mailbox,
        "orocrm_url": account.orocrm_url,
        "orocrm_user": account.orocrm_user,
        "state": account.state,
        "reason": account.state_reason,
        "since": account.state_since.strftime("%Y-%m-%dT%H:%M:%SZ") if account.state_since else None,
        "last_run": as_run(newest[0]) if newest else None,
        "linked": sum(store.count_links(entity) for entity in Entity),
        "open_conflicts": store.count_unanswered_conflicts(),
        "quarantined": store.count_quarantined(),
    }
