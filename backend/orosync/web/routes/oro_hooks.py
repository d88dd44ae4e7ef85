"""`/hooks/oro/{token}`: OroCRM calls when a record was created, changed or removed.

The call is checked, the accounts it concerns are planned to look, and that is all: OroCRM is not asked anything from
here, and what changed is read by each account with its own rights.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import current_app, request

from orosync.core.records import Side
from orosync.core.webhooks import ALGORITHM, TOPICS, is_signed, read_notification
from orosync.errors import BadInput
from orosync.web.blueprint import Blueprint, ProblemSchema
from orosync.web.parts import parts
from orosync.web.problems import MEDIA_TYPE, NotAllowed, NotFound, Problem
from orosync.web.routes.hooks import calls_of

LARGEST_BODY = 64 * 1024  # ids alone are a few hundred bytes

blueprint = Blueprint("oro_hooks", __name__, description="OroCRM calls when something changes there.")

_TEXT = {"type": "string"}
_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["topic", "eventData", "timestamp", "messageId"],
                "properties": {
                    "topic": {**_TEXT, "enum": list(TOPICS)},
                    "eventData": {"type": "object", "description": "A JSON:API document; its id is what counts."},
                    "timestamp": {"type": "integer", "description": "Seconds since 1970."},
                    "messageId": {**_TEXT, "description": "The same when a call is repeated."},
                },
            }
        }
    },
}
_HEADERS = [
    {"name": "Webhook-Signature", "in": "header", "schema": _TEXT, "description": "Of the raw body, in hex."},
    {"name": "Webhook-Signature-Algorithm", "in": "header", "schema": {**_TEXT, "enum": [ALGORITHM]}},
]
_PROBLEM: dict[str, Any] = {"schema": ProblemSchema, "content_type": MEDIA_TYPE}


@blueprint.route("/hooks/oro/<string:token>", methods=["POST"])
@blueprint.doc(security=[], requestBody=_BODY, parameters=_HEADERS)
@blueprint.response(204)
@blueprint.alt_response(400, **_PROBLEM, description="It is not of the known shape, or of another topic.")
@blueprint.alt_response(403, **_PROBLEM, description="It is not signed with the registration's secret.")
@blueprint.alt_response(404, **_PROBLEM, description="There is no such registration.")
@blueprint.alt_response(410, **_PROBLEM, description="There was one, and nobody needs it any more: OroCRM deletes it.")
@blueprint.alt_response(413, **_PROBLEM, description="It is too large.")
def hear_oro(token: str) -> None:
    """OroCRM tells that a record changed."""
    body = _body()
    database = parts().database
    found = database.webhooks.called(token)
    if found is None:
        raise _gone() if database.webhooks.was_ours(token) else NotFound("There is nothing at this address.")
    webhook, secret = found
    given = request.headers
    if not is_signed(body, secret, given.get("Webhook-Signature", ""), given.get("Webhook-Signature-Algorithm", "")):
        raise NotAllowed("This is not signed with the secret of the registration.", code="bad_signature")
    try:
        told = read_notification(body, webhook.topic)
    except BadInput as error:
        raise Problem(error.message, field=error.field, status=400, code="malformed") from None
    if not database.webhooks.has_accounts(webhook.orocrm_url):
        database.webhooks.drop(webhook.digest)
        raise _gone()
    if database.webhooks.has_heard(webhook, told.message_id):
        return
    topic = TOPICS[webhook.topic]
    if topic.event == "created":  # nobody knows it yet, and it may be anybody's
        calls_of(current_app).call_all_of(webhook.orocrm_url)
    else:
        concerned = database.webhooks.holding(webhook.orocrm_url, topic.entity, told.record_id)
        calls_of(current_app).call(dict.fromkeys(concerned, frozenset({Side.ORO})))
    database.webhooks.hear(webhook, told.message_id)  # at the end: what could not be written may come again


def _body() -> bytes:
    """Raises 413 by the length that is said, or as soon as more comes than is allowed."""
    request.max_content_length = LARGEST_BODY
    return request.get_data(cache=False)


def _gone() -> Problem:
    return Problem("This registration is not needed any more.", status=HTTPStatus.GONE, code="gone")
