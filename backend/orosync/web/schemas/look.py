"""The pane's look as people get it, and as administrators give it. Values are judged in `core/look.py`."""

from __future__ import annotations

import marshmallow as ma

from orosync.core.look import LONGEST, SECTIONS

_SECTION = ma.validate.OneOf(SECTIONS)


class LookSchema(ma.Schema):
    name = ma.fields.String(required=True, metadata={"description": "Empty: the product's own."})
    logo = ma.fields.String(required=True, allow_none=True, metadata={"description": "A data URL."})
    accent = ma.fields.String(required=True, allow_none=True, metadata={"description": "#rrggbb"})
    welcome = ma.fields.String(required=True, metadata={"description": "Plain text."})
    sections = ma.fields.List(
        ma.fields.String(validate=_SECTION), required=True, metadata={"description": "Those shown, in order."}
    )
    html = ma.fields.String(required=True, metadata={"description": "Cleaned; its CSS is at /addin/look.css."})


class AdminLookSchema(LookSchema):
    css = ma.fields.String(required=True, metadata={"description": "Cleaned."})
    set_at = ma.fields.String(required=True, validate=ma.validate.OneOf(["default", "system", "organisation"]))
    removed = ma.fields.List(
        ma.fields.String(), required=True, metadata={"description": "What cleaning took away, in words."}
    )


class LookRequest(ma.Schema):
    """What is left out is the product's own."""

    name = ma.fields.String(validate=ma.validate.Length(max=LONGEST["name"]))
    logo = ma.fields.String(
        allow_none=True, metadata={"description": "PNG, JPEG or WebP of at most 48 KB, as a data URL with base64."}
    )
    accent = ma.fields.String(allow_none=True, metadata={"description": "#rrggbb"})
    welcome = ma.fields.String(validate=ma.validate.Length(max=LONGEST["welcome"]))
    sections = ma.fields.List(ma.fields.String(validate=_SECTION), validate=ma.validate.Length(min=1))
    html = ma.fields.String(validate=ma.validate.Length(max=LONGEST["html"]))
    css = ma.fields.String(validate=ma.validate.Length(max=LONGEST["css"]))


class LookQuery(ma.Schema):
    preview = ma.fields.Boolean(load_default=False, metadata={"description": "Clean and answer; store nothing."})
