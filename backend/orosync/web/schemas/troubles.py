"""Conflicts and quarantine."""

from __future__ import annotations

import marshmallow as ma

from orosync.web.paging import PageQuery
from orosync.web.schemas.runs import ENTITY, SIDE


class ConflictQuery(PageQuery):
    state = ma.fields.String(load_default="open", validate=ma.validate.OneOf(["open", "all"]))


class ConflictSchema(ma.Schema):
    id = ma.fields.Integer(required=True)
    entity = ma.fields.String(validate=ENTITY)
    title = ma.fields.String()
    field = ma.fields.String(metadata={"description": "The field, or the group of fields that belong together."})
    outlook_id = ma.fields.String(allow_none=True)
    oro_id = ma.fields.String(allow_none=True)
    base = ma.fields.Dict(allow_none=True, metadata={"description": "When both sides last agreed."})
    outlook = ma.fields.Dict(allow_none=True)
    oro = ma.fields.Dict(allow_none=True)
    rule = ma.fields.String()
    choice = ma.fields.String(allow_none=True, validate=SIDE)
    waiting_for_run = ma.fields.Boolean(metadata={"description": "Chosen, and the next run acts on it."})
    at = ma.fields.String()
    run = ma.fields.String()


class ConflictList(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(ConflictSchema))
    next = ma.fields.String(allow_none=True)


class Choice(ma.Schema):
    take = ma.fields.String(required=True, validate=SIDE, metadata={"description": "Whose value is right."})


class Resolved(ma.Schema):
    resolved = ma.fields.Integer()


class QuarantinedSchema(ma.Schema):
    id = ma.fields.String(required=True)
    side = ma.fields.String(validate=SIDE)
    entity = ma.fields.String(validate=ENTITY)
    record_id = ma.fields.String()
    title = ma.fields.String()
    code = ma.fields.String()
    message = ma.fields.String()
    attempts = ma.fields.Integer()
    first_at = ma.fields.String()
    next_try = ma.fields.String()


class QuarantineList(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(QuarantinedSchema))
    next = ma.fields.String(allow_none=True)


class Retried(ma.Schema):
    retried = ma.fields.Integer()


class ExplanationQuery(ma.Schema):
    entity = ma.fields.String(load_default=None, validate=ENTITY)


class Explanation(ma.Schema):
    found = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.List(ma.fields.String()))
