"""`/context`: who in OroCRM is behind the addresses of a mail, what there is about them, and new records."""

from __future__ import annotations

from typing import Any

from flask import current_app
from flask.views import MethodView

from orosync.bootstrap.beside_mail import BesideMail
from orosync.core.beside_mail import Group, Made, NewRecord, NotMade, Person, Related
from orosync.core.ledger import Account
from orosync.core.records import Json
from orosync.errors import RecordMissing, RecordRefused
from orosync.sync.standing import Standing
from orosync.web.accounts import mine
from orosync.web.blueprint import Blueprint
from orosync.web.parts import parts
from orosync.web.problems import Invalid, NotAllowed, NotFound
from orosync.web.schemas.beside_mail import (
    AddressQuery,
    GroupsSchema,
    MadeSchema,
    NewRecordBody,
    PeopleSchema,
    RecordsQuery,
)

blueprint = Blueprint("beside_mail", __name__, description="Beside a mail: people, their records, quick create.")

_NAME = "orosync.beside_mail"


def _beside_mail() -> BesideMail:
    """Of this application: it keeps answers for a minute."""
    found: BesideMail | None = current_app.extensions.get(_NAME)
    if found is None:
        own = parts()
        made = BesideMail(own.config, own.database, own.clock, own.adapters)
        found = current_app.extensions.setdefault(_NAME, made)  # of two threads that make one, one wins
    return found


def _account() -> Account:
    """Raises NotSignedIn, NotConnected, NotAllowed."""
    account = mine().account
    if account.state == "disabled":
        raise NotAllowed(
            "Your account is switched off.", remedy="Ask an administrator of this installation.", code="account_blocked"
        )
    return account


@blueprint.route("/context")
@blueprint.arguments(AddressQuery, location="query")
@blueprint.response(200, PeopleSchema)
def people(query: Json) -> Json:
    """Who has these addresses: all contacts and leads, so that people can choose. Answers may be a minute old."""
    seen = _beside_mail().people(_account(), query["address"])
    return {
        "people": [
            {
                "address": address,
                "matches": [_person(each, seen.standings[each.type, each.id]) for each in seen.by_address[address]],
            }
            for address in dict.fromkeys(query["address"])
        ],
        "forbidden": list(seen.forbidden),
        "fetched_at": seen.fetched_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _person(person: Person, standing: Standing) -> Json:
    return {
        "type": person.type,
        "id": person.id,
        "name": person.name,
        "job_title": person.job_title,
        "company": person.company,
        "accounts": [{"id": each.id, "name": each.name, "url": each.url} for each in person.accounts],
        "phone": person.phone,
        "emails": list(person.emails),
        "url": person.url,
        "sync": {"state": standing.state, "reason": standing.reason},
    }


@blueprint.route("/context/records")
class Records(MethodView):
    @blueprint.arguments(RecordsQuery, location="query")
    @blueprint.response(200, GroupsSchema)
    def get(self, query: Json) -> Json:
        """What there is about one contact or lead. A group that the user may not see is `forbidden`."""
        try:
            around = _beside_mail().records(_account(), query["type"], query["id"])
        except RecordMissing as error:
            raise NotFound(error.message) from error
        except RecordRefused as error:
            raise NotAllowed(error.message, remedy="Ask OroCRM's administrator for the permission.") from error
        return {
            "groups": [_group(each) for each in around.groups],
            "fetched_at": around.fetched_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    @blueprint.arguments(NewRecordBody)
    @blueprint.response(201, MadeSchema)
    @blueprint.alt_response(200, schema=MadeSchema, description="An equal one was there already; none was made.")
    def post(self, body: Json) -> Any:
        """Make a contact, lead or task in OroCRM. The same request twice makes one record."""
        try:
            made = _beside_mail().create(_account(), _new_record(body))
        except RecordRefused as error:
            raise NotAllowed(error.message, remedy="Ask OroCRM's administrator for the permission.") from error
        if isinstance(made, NotMade):
            raise Invalid(
                f"OroCRM cannot take this {body['type']} as it is.",
                [{"field": field, "message": message} for field, message in made.errors],
                remedy="See errors.",
            )
        return _made(made)


def _new_record(body: Json) -> NewRecord:
    about, due = body["about"], body["due_date"]
    return NewRecord(
        type=body["type"],
        name=body["name"],
        first_name=body["first_name"],
        last_name=body["last_name"],
        email=body["email"],
        subject=body["subject"],
        due_date=due.isoformat() if due else None,
        about=(about["type"], str(int(about["id"]))) if about else None,
    )


def _made(made: Made) -> Any:
    return {"type": made.type, "id": made.id, "url": made.url}, 200 if made.existed else 201


def _group(group: Group) -> Json:
    return {
        "type": group.type,
        "forbidden": group.forbidden,
        "more": group.more,
        "items": [_related(each) for each in group.items],
    }


def _related(record: Related) -> Json:
    shown: Json = {"id": record.id, "title": record.title, "status": record.status, "url": record.url}
    if record.amount is not None:
        shown["amount"] = {"value": record.amount.value, "currency": record.amount.currency}
    if record.due is not None:
        shown["due"] = record.due
    return shown
