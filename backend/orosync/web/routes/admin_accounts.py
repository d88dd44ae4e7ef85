"""`/admin/accounts`: the health of everybody's accounts, without a look at their records."""

from __future__ import annotations

import marshmallow as ma
from flask.views import MethodView

from orosync import bootstrap
from orosync.core.account_state import STATES, account_state, state_name
from orosync.core.ledger import Account
from orosync.core.records import Entity, Json
from orosync.errors import BadInput
from orosync.web import paging
from orosync.web.accounts import before_removal, end_push
from orosync.web.blueprint import Blueprint
from orosync.web.parts import parts
from orosync.web.principal import Principal, administrator
from orosync.web.problems import NotFound
from orosync.web.run_json import as_run
from orosync.web.schemas.runs import RunSchema
from orosync.web.schemas.status import StateSchema

blueprint = Blueprint("admin_accounts", __name__, description="For administrators: everybody's accounts.")


class AccountSchema(StateSchema):
    id = ma.fields.Integer()
    name = ma.fields.String()
    mailbox = ma.fields.String()
    orocrm_url = ma.fields.String()
    orocrm_user = ma.fields.String()
    last_run = ma.fields.Nested(RunSchema, allow_none=True)
    linked = ma.fields.Integer()
    open_conflicts = ma.fields.Integer()
    quarantined = ma.fields.Integer()


class AccountQuery(paging.PageQuery):
    state = ma.fields.String(
        load_default=None, validate=ma.validate.OneOf(STATES), metadata={"description": "Only accounts in this state."}
    )


class AccountList(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(AccountSchema))
    next = ma.fields.String(allow_none=True)


class AccountChange(ma.Schema):
    state = ma.fields.String(required=True, validate=ma.validate.OneOf(["active", "disabled"]))
    reason = ma.fields.String(load_default="", validate=ma.validate.Length(max=500))


@blueprint.route("/admin/accounts")
@blueprint.arguments(AccountQuery, location="query")
@blueprint.response(200, AccountList)
def accounts(query: Json) -> Json:
    """All of them, or those in one state, by name."""
    principal, states = administrator(), parts().database.account_states
    organisation = None if principal.is_home else principal.tenant
    if query["state"] is None:
        found = states.ids(organisation)
    else:
        found = [number for number, signs in states.signs(organisation) if state_name(signs) == query["state"]]
    chosen, following = paging.slice_of(found, query)
    return paging.page([_told(account) for number in chosen if (account := _found(number)) is not None], following)


def _found(account_id: int) -> Account | None:
    """None for one that was removed while the list was made."""
    try:
        return parts().database.accounts.get(account_id)
    except BadInput:
        return None


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
            end_push(account)
        else:
            database.accounts.enable(account.id, now)
        bootstrap.look_soon(database, account.id, now)
        return _told(_account(account_id))

    @blueprint.response(204)
    def delete(self, account_id: int) -> None:
        """Forget it with its links, history and secrets; records stay on both sides."""
        account = _account(account_id)
        before_removal(account)
        parts().database.accounts.remove(account.id)


def _account(account_id: int) -> Account:
    principal, account = administrator(), _found(account_id)
    if account is None or not _may_see(principal, account):
        raise NotFound("There is no such account.")
    return account


def _may_see(principal: Principal, account: Account) -> bool:
    """Administrators of a guest organisation see their own."""
    return principal.is_home or account.organisation == principal.tenant


def _told(account: Account) -> Json:
    store = parts().database.account_store(account.id)
    newest = store.runs(1)
    facts = parts().database.account_states.of([account.id])[account.id]
    return {
        "id": account.id,
        "name": account.name,
        "mailbox": account.mailbox,
        "orocrm_url": account.orocrm_url,
        "orocrm_user": account.orocrm_user,
        **account_state(facts, parts().clock.now()).to_json(),
        "last_run": as_run(newest[0]) if newest else None,
        "linked": sum(store.count_links(entity) for entity in Entity),
        "open_conflicts": store.count_unanswered_conflicts(),
        "quarantined": store.count_quarantined(),
    }
