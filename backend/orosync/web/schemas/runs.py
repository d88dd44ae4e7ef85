"""Requests for runs, and runs themselves."""

from __future__ import annotations

import marshmallow as ma

from orosync.core.ops import Verb
from orosync.core.records import Entity, Side
from orosync.web.paging import PageQuery
from orosync.web.run_json import MODES

_HASH = ma.validate.Regexp(r"[0-9a-f]{16}\Z", error="This is no hash of a plan.")
ENTITY = ma.validate.OneOf([entity.value for entity in Entity])
SIDE = ma.validate.OneOf([side.value for side in Side])


class _Carried(ma.Schema):
    preview = ma.fields.Boolean(load_default=False, metadata={"description": "Show what would be done, write nothing."})
    approve = ma.fields.String(
        load_default=None,
        validate=_HASH,
        metadata={"description": "Carry out the plan with this hash, if it is still the same."},
    )

    @ma.validates_schema
    def not_both(self, data: dict[str, object], **_more: object) -> None:
        if data.get("preview") and data.get("approve"):
            raise ma.ValidationError("A preview carries nothing out: leave out one of the two.", "approve")


class SyncRequest(_Carried):
    entities = ma.fields.List(
        ma.fields.String(validate=ENTITY),
        load_default=None,
        validate=ma.validate.Length(1, 3),
        metadata={"description": "Only these; else all that the settings want."},
    )


class ResyncRequest(_Carried):
    mode = ma.fields.String(
        load_default=None,
        validate=ma.validate.OneOf(["relink", "replace"]),
        metadata={"description": "relink compares; replace makes Outlook's items anew. Else as in the settings."},
    )


class UndoRequest(ma.Schema):
    preview = ma.fields.Boolean(load_default=False)


class ApproveRequest(ma.Schema):
    plan_hash = ma.fields.String(required=True, validate=_HASH)


class OpsQuery(PageQuery):
    entity = ma.fields.String(load_default=None, validate=ENTITY)
    verb = ma.fields.String(load_default=None, validate=ma.validate.OneOf([verb.value for verb in Verb]))


class ProgressSchema(ma.Schema):
    what = ma.fields.String()
    done = ma.fields.Integer()
    total = ma.fields.Integer()


class RunSchema(ma.Schema):
    run = ma.fields.String(required=True)
    mode = ma.fields.String(required=True, validate=ma.validate.OneOf(MODES))
    state = ma.fields.String(
        required=True,
        validate=ma.validate.OneOf(["waiting", "running", "done", "held", "failed", "suspended", "cancelled"]),
    )
    requested_at = ma.fields.String(allow_none=True)
    started_at = ma.fields.String(allow_none=True)
    finished_at = ma.fields.String(allow_none=True)
    progress = ma.fields.Nested(ProgressSchema, allow_none=True)
    plan_hash = ma.fields.String()
    limits = ma.fields.List(ma.fields.String())
    problems = ma.fields.List(ma.fields.String())
    seconds = ma.fields.Float()
    requests = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Integer())
    entities = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Dict())
    undo = ma.fields.Dict(allow_none=True)
    written = ma.fields.Integer(metadata={"description": "Records created, changed or deleted."})
    can_undo = ma.fields.Boolean()


class RunList(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(RunSchema))
    next = ma.fields.String(allow_none=True)


class FieldChange(ma.Schema):
    name = ma.fields.String()
    before = ma.fields.Raw(allow_none=True)
    after = ma.fields.Raw(allow_none=True)


class OpSchema(ma.Schema):
    verb = ma.fields.String()
    entity = ma.fields.String()
    side = ma.fields.String()
    title = ma.fields.String()
    rule = ma.fields.String()
    reason = ma.fields.String()
    outlook_id = ma.fields.String(allow_none=True)
    oro_id = ma.fields.String(allow_none=True)
    fields_ = ma.fields.List(ma.fields.Nested(FieldChange), data_key="fields", attribute="fields")
    mails = ma.fields.Integer()
    overwrites = ma.fields.Boolean()
    undone = ma.fields.Boolean()


class OpList(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(OpSchema))
    next = ma.fields.String(allow_none=True)
