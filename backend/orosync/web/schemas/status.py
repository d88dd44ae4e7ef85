"""Who one is, and how one's account is doing."""

from __future__ import annotations

import marshmallow as ma

from orosync.core.account_state import STATES
from orosync.web.schemas.look import LookSchema
from orosync.web.schemas.runs import RunSchema


class MeSchema(ma.Schema):
    name = ma.fields.String()
    address = ma.fields.String()
    is_admin = ma.fields.Boolean()
    connected = ma.fields.Boolean()
    demo = ma.fields.Boolean()
    organisation = ma.fields.String(metadata={"description": "Whose /addin/look.css it is; empty: the installation's."})
    look = ma.fields.Nested(LookSchema)


class AccountState(ma.Schema):
    state = ma.fields.String(validate=ma.validate.OneOf(["active", "suspended", "disabled"]))
    reason = ma.fields.String()
    since = ma.fields.String(allow_none=True)


class StateSchema(ma.Schema):
    """How an account is doing, in one word with what belongs to it."""

    state = ma.fields.String(validate=ma.validate.OneOf(STATES))
    reason = ma.fields.String()
    remedy = ma.fields.String()
    since = ma.fields.String(allow_none=True)
    until = ma.fields.String(
        allow_none=True, metadata={"description": "The end of a pause, or the next look that is planned."}
    )


class EntityStatus(ma.Schema):
    wanted = ma.fields.Boolean()
    linked = ma.fields.Integer()
    only_outlook = ma.fields.Integer()
    only_oro = ma.fields.Integer()
    last_run_at = ma.fields.String(allow_none=True)


class StatusSchema(ma.Schema):
    state = ma.fields.Nested(StateSchema)
    account = ma.fields.Nested(AccountState)
    enabled = ma.fields.Boolean()
    show_alerts = ma.fields.Boolean()
    running = ma.fields.Nested(RunSchema, allow_none=True)
    last_run = ma.fields.Nested(RunSchema, allow_none=True)
    held = ma.fields.Nested(RunSchema, allow_none=True)
    next_run_at = ma.fields.String(
        allow_none=True, metadata={"description": "By itself; null while nothing is planned."}
    )
    read_at = ma.fields.Dict(
        keys=ma.fields.String(),
        values=ma.fields.String(allow_none=True),
        metadata={"description": "By side: when it was last asked for all that had changed."},
    )
    first_sync_done = ma.fields.Boolean()
    entities = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Nested(EntityStatus))
    open_conflicts = ma.fields.Integer()
    quarantined = ma.fields.Integer()
