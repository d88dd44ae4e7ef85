"""The resources `webhooks`, `webhooktopics` and `webhookformats` of OroCRM 7.0.2.

Read in source and not recorded (API reference, section 10). A secret is taken on create and never shown.
"""

from __future__ import annotations

from typing import Any

from orosync.sandbox.oro import requests_in, webhooks
from orosync.sandbox.oro.permissions import NONE
from orosync.sandbox.oro.problems import MethodRefused, Problem, Refused, blank, denied, not_found
from orosync.sandbox.oro.records import OroUser
from orosync.sandbox.oro.state import OroState
from orosync.sandbox.oro.wire import Answer, Asked

RESOURCES = ("webhooks", "webhooktopics", "webhookformats")
FORMATS = {"default": "Default (JSON:API)", "thin": "Thin"}


class WebhookApi:
    """Answers one request of a signed-in user to one of `RESOURCES`."""

    def __init__(self, state: OroState, user: OroUser, asked: Asked, base: str) -> None:
        self._state, self._user, self._asked, self._base = state, user, asked, base

    def answer(self, parts: list[str]) -> Answer:
        """Raises `Refused` and `MethodRefused`."""
        if len(parts) > 2:
            raise Refused(Problem(404, "relationship constraint", "Unsupported subresource."))
        if parts[0] == "webhooks":
            return self._one(parts[1]) if len(parts) == 2 else self._all()
        return self._dictionary(parts)

    def _dictionary(self, parts: list[str]) -> Answer:
        if self._asked.method != "GET":
            raise MethodRefused("OPTIONS, GET")
        known = FORMATS if parts[0] == "webhookformats" else {topic: topic for topic in webhooks.topics(self._state)}
        rows = [{"type": parts[0], "id": name, "attributes": {"label": label}} for name, label in known.items()]
        if len(parts) == 1:
            return Answer(200, {"data": rows})
        found = next((row for row in rows if row["id"] == parts[1]), None)
        if found is None:
            raise not_found()
        return Answer(200, {"data": found})

    def _may(self, action: str) -> None:
        if self._state.level(self._user, "webhook", action) == NONE:
            raise denied("No access to this type of entities.")

    def _all(self) -> Answer:
        if self._asked.method == "GET":
            self._may("view")
            return Answer(200, {"data": [self._document(hook) for hook in self._state.webhooks.values()]})
        if self._asked.method != "POST":
            raise MethodRefused("OPTIONS, GET, POST, DELETE")
        self._may("create")
        data = requests_in.read(self._asked, "webhooks", None).data
        attributes, relations = data.get("attributes") or {}, data.get("relationships") or {}
        url, topic = attributes.get("notificationUrl"), ((relations.get("topic") or {}).get("data") or {}).get("id")
        form = ((relations.get("format") or {}).get("data") or {}).get("id")
        wrong = [] if url else [blank("/data/attributes/notificationUrl")]
        needed = {"topic": topic, "format": form}
        wrong += [blank(f"/data/relationships/{name}/data") for name, value in needed.items() if not value]
        if topic and topic not in webhooks.topics(self._state):
            detail = "The selected webhook topic is not valid."
            wrong.append(Problem(400, "webhook topic constraint", detail, "/data/relationships/topic/data"))
        if wrong:
            raise Refused(*wrong)
        secret, enabled = str(attributes.get("secret") or ""), bool(attributes.get("enabled", True))
        verify = bool(attributes.get("verifySsl", True))
        hook = webhooks.Webhook(
            self._state.new_uuid(), str(url), str(topic), str(form), secret, self._user.id, enabled, verify
        )
        self._state.webhooks[hook.id] = hook
        return Answer(201, {"data": self._document(hook)}, {"Location": f"{self._base}/webhooks/{hook.id}"})

    def _one(self, identifier: str) -> Answer:
        actions = {"GET": "view", "PATCH": "edit", "DELETE": "delete"}
        if self._asked.method not in actions:
            raise MethodRefused("OPTIONS, GET, PATCH, DELETE")
        self._may(actions[self._asked.method])
        hook = self._state.webhooks.get(identifier)
        if hook is None:
            raise not_found()
        if self._asked.method == "DELETE":
            del self._state.webhooks[identifier]
            return Answer(204, content_type=None)
        if self._asked.method == "PATCH":
            attributes = requests_in.read(self._asked, "webhooks", identifier).data.get("attributes") or {}
            hook.enabled = bool(attributes.get("enabled", hook.enabled))
            hook.url = str(attributes.get("notificationUrl", hook.url))
        return Answer(200, {"data": self._document(hook)})

    def _document(self, hook: webhooks.Webhook) -> dict[str, Any]:
        """The secret is never shown."""
        relations = {
            "topic": ("webhooktopics", hook.topic),
            "format": ("webhookformats", hook.format),
            "owner": ("users", str(hook.owner)),
            "organization": ("organizations", "1"),
        }
        return {
            "type": "webhooks",
            "id": hook.id,
            "attributes": {
                "notificationUrl": hook.url,
                "enabled": hook.enabled,
                "system": False,
                "verifySsl": hook.verify_ssl,
            },
            "relationships": {
                name: {"data": {"type": kind, "id": target}} for name, (kind, target) in relations.items()
            },
        }
