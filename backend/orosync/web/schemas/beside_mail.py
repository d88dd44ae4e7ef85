"""Who is behind an address, what there is about them, and new records."""

from __future__ import annotations

import marshmallow as ma


def _one_line(text: str) -> None:
    """The patterns below are also read by programs in other languages, where `$` means the very end."""
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        raise ma.ValidationError("This must be one line.")


_PART = r"[^@\s\x00-\x1f\x7f,;<>()\[\]\"]+"
_ADDRESS = ma.validate.Regexp(f"^{_PART}@{_PART}$", error="This is no e-mail address.")
_NUMBER = ma.validate.Regexp("^[0-9]{1,18}$", error="This is no id of OroCRM.")
_PEOPLE = ("contact", "lead")
_SYNC = ("linked", "alone", "out_of_scope", "unknown")
_GROUPS = ("opportunity", "lead", "case", "task", "event")
_NEW = ("contact", "lead", "task")
_ABOUT = ("contact", "lead", "account", "opportunity", "case")
_PAGE = {"description": "Its page in OroCRM's back office."}


def _line(longest: int, description: str = "") -> ma.fields.String:
    told = {"description": description} if description else None
    return ma.fields.String(load_default="", validate=[ma.validate.Length(0, longest), _one_line], metadata=told)


class AddressQuery(ma.Schema):
    address = ma.fields.List(
        ma.fields.String(validate=[ma.validate.Length(3, 254), _ADDRESS, _one_line]),
        required=True,
        validate=ma.validate.Length(1, 20),
        metadata={"description": "E-mail addresses of a mail; case does not matter."},
    )


class FirmSchema(ma.Schema):
    id = ma.fields.String()
    name = ma.fields.String()
    url = ma.fields.String(metadata=_PAGE)


class StandingSchema(ma.Schema):
    state = ma.fields.String(validate=ma.validate.OneOf(_SYNC))
    reason = ma.fields.String()


class PersonSchema(ma.Schema):
    type = ma.fields.String(required=True, validate=ma.validate.OneOf(_PEOPLE))
    id = ma.fields.String(required=True)
    name = ma.fields.String()
    job_title = ma.fields.String()
    company = ma.fields.String(metadata={"description": "Of a lead, as text; a contact has accounts."})
    accounts = ma.fields.List(ma.fields.Nested(FirmSchema))
    phone = ma.fields.String()
    emails = ma.fields.List(ma.fields.String())
    url = ma.fields.String(metadata=_PAGE)
    sync = ma.fields.Nested(StandingSchema)


class MatchesSchema(ma.Schema):
    address = ma.fields.String(required=True, metadata={"description": "As it was asked for."})
    matches = ma.fields.List(ma.fields.Nested(PersonSchema))


class PeopleSchema(ma.Schema):
    people = ma.fields.List(ma.fields.Nested(MatchesSchema))
    forbidden = ma.fields.List(
        ma.fields.String(validate=ma.validate.OneOf(_PEOPLE)),
        metadata={"description": "Types that OroCRM does not show to this user."},
    )
    fetched_at = ma.fields.String()


class RecordsQuery(ma.Schema):
    type = ma.fields.String(required=True, validate=ma.validate.OneOf(_PEOPLE))
    id = ma.fields.String(required=True, validate=[_NUMBER, _one_line])


class AmountSchema(ma.Schema):
    value = ma.fields.Float()
    currency = ma.fields.String(metadata={"description": "ISO 4217."})


class RelatedSchema(ma.Schema):
    id = ma.fields.String(required=True)
    title = ma.fields.String()
    status = ma.fields.String()
    url = ma.fields.String(metadata=_PAGE)
    amount = ma.fields.Nested(AmountSchema)
    due = ma.fields.String(metadata={"description": "A day, or an instant; of an event when it begins."})


class GroupSchema(ma.Schema):
    type = ma.fields.String(required=True, validate=ma.validate.OneOf(_GROUPS))
    forbidden = ma.fields.Boolean(metadata={"description": "OroCRM does not show this type to this user."})
    more = ma.fields.Boolean(metadata={"description": "OroCRM has more of them than are shown."})
    items = ma.fields.List(ma.fields.Nested(RelatedSchema))


class GroupsSchema(ma.Schema):
    groups = ma.fields.List(ma.fields.Nested(GroupSchema))
    fetched_at = ma.fields.String()


class AboutSchema(ma.Schema):
    type = ma.fields.String(required=True, validate=ma.validate.OneOf(_ABOUT))
    id = ma.fields.String(required=True, validate=[_NUMBER, _one_line])


class NewRecordBody(ma.Schema):
    type = ma.fields.String(required=True, validate=ma.validate.OneOf(_NEW))
    name = _line(255, "Of a lead: its title. Of a contact: the name in one piece.")
    first_name = _line(100)
    last_name = _line(100)
    email = _line(254)
    subject = _line(255, "Of a task.")
    due_date = ma.fields.Date(load_default=None, allow_none=True)
    about = ma.fields.Nested(
        AboutSchema, load_default=None, allow_none=True, metadata={"description": "The record it belongs to."}
    )

    @ma.validates("email")
    def email_is_one(self, value: str, **_more: object) -> None:
        if value:
            _ADDRESS(value)


class MadeSchema(ma.Schema):
    type = ma.fields.String(required=True, validate=ma.validate.OneOf(_NEW))
    id = ma.fields.String(required=True)
    url = ma.fields.String(required=True, metadata=_PAGE)
