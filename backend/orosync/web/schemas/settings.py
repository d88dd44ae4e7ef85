"""Settings with what may be chosen."""

from __future__ import annotations

import marshmallow as ma

from orosync.core.settings import KEYS


class SettingSchema(ma.Schema):
    key = ma.fields.String(required=True)
    value = ma.fields.Raw(allow_none=True, metadata={"description": "What is in force."})
    default = ma.fields.Raw(allow_none=True)
    set_at = ma.fields.String(
        validate=ma.validate.OneOf(["default", "system", "organisation", "user"]),
        metadata={"description": "Where the value in force was set."},
    )
    editable = ma.fields.Boolean(metadata={"description": "Whether it may be set at this level."})
    description = ma.fields.String()
    kind = ma.fields.String(
        validate=ma.validate.OneOf(["choice", "yes_no", "number", "names", "pair", "text", "object"])
    )
    choices = ma.fields.List(ma.fields.String())
    least = ma.fields.Integer()
    most = ma.fields.Integer()
    unit = ma.fields.String()
    longest = ma.fields.Integer()


class SettingsSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(SettingSchema))


# The members are the settings' own keys, with dots in them; what each may hold is judged by the core.
SettingsChange = ma.Schema.from_dict(
    {
        f"setting_{number}": ma.fields.Raw(allow_none=True, data_key=key, metadata={"description": entry.description})
        for number, (key, entry) in enumerate(KEYS.items())
    },
    name="SettingsChange",
)


class LevelQuery(ma.Schema):
    level = ma.fields.String(
        load_default=None,
        validate=ma.validate.OneOf(["system", "organisation"]),
        metadata={"description": "system for the whole installation, organisation for one's own tenant."},
    )
