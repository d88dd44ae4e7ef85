"""The older REST API (`/api/rest/latest/...`): calendars, events, workflow, audit, plain tasks and contacts.

Signing in is done before; what becomes of events and tasks is left to their rules. Source: sections 0 and 4 to 6
of the API reference, calendar-*, calendarevents-*, workflow-*, audits-*, rest-old-*.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from orosync.sandbox.oro import event_rules, event_views, legacy_views, query, task_rules
from orosync.sandbox.oro.audit import CLASSES
from orosync.sandbox.oro.permissions import NONE
from orosync.sandbox.oro.problems import LegacyRefused, legacy_code
from orosync.sandbox.oro.query import Parameter
from orosync.sandbox.oro.records import Event, OroUser
from orosync.sandbox.oro.state import CalendarConnection, OroState
from orosync.sandbox.oro.times import parse_loose_time
from orosync.sandbox.oro.wire import JSON, Answer, Asked

Handler = Callable[..., Answer]
_NEEDS_INTERVAL = 'Time interval ("start" and "end") or paging ("page" and "limit") parameters should be specified.'


class LegacyApi:
    """Answers one request of a signed-in user."""

    def __init__(self, state: OroState, user: OroUser, asked: Asked) -> None:
        self._state, self._user, self._asked = state, user, asked
        self._parameters = {each.name: each for each in query.parameters(asked.query)}

    def answer(self, path: str) -> Answer:
        """`path` is the part below `/api/rest/latest/`. Raises `LegacyRefused`."""
        path = path.removesuffix(".json").strip("/")
        for pattern, handlers in _ROUTES:
            found = pattern.fullmatch(path)
            if found is None:
                continue
            handler = handlers.get(self._asked.method)
            if handler is None:
                raise legacy_code(405, Allow=", ".join(handlers))
            return handler(self, *found.groups())
        raise legacy_code(404)

    def _level(self, entity: str, action: str = "view") -> None:
        if self._state.level(self._user, entity, action) == NONE:
            raise legacy_code(403)

    def _body(self) -> dict[str, Any]:
        if not self._asked.body.strip():
            return {}
        if self._asked.header("Content-Type").partition(";")[0].strip() != JSON:
            return {}
        try:
            body = json.loads(self._asked.body)
        except ValueError:
            raise legacy_code(400, "Invalid json message received") from None
        return body if isinstance(body, dict) else {}

    def _value(self, name: str) -> str | None:
        parameter = self._parameters.get(name)
        return parameter.value if parameter else None

    def _number(self, name: str, default: int) -> int:
        text = self._value(name) or ""
        return int(text) if text.isdigit() else default

    def _listed(self, rows: list[Any], total: int) -> Answer:
        wanted = "totalCount" in self._asked.wishes
        headers = {"X-Include-Total-Count": str(total)} if wanted else {}
        return Answer(200, rows, headers, JSON)

    # calendars

    def default_calendar(self) -> Answer:
        self._level("event")
        calendar = self._state.calendar_of(self._user)
        shown = {"calendar": calendar, "owner": self._user.id, "calendarName": self._user.name}
        return Answer(200, shown, content_type=JSON)

    def connections(self, text: str) -> Answer:
        self._level("event")
        rows = [legacy_views.tasks_calendar(int(text))]
        rows += [
            legacy_views.connection(self._state, each)
            for each in self._state.connections.values()
            if each.target == int(text)
        ]
        return Answer(200, rows, content_type=JSON)

    def add_connection(self) -> Answer:
        self._level("event")
        body = self._body()
        calendar, target = int(body.get("calendar") or 0), int(body.get("targetCalendar") or 0)
        if not {calendar, target} <= self._state.calendars.keys():
            raise legacy_code(400, "Validation Failed")
        number = self._state.next("connection")
        visible = bool(body.get("visible", True))
        self._state.connections[number] = CalendarConnection(number, target, calendar, visible)
        return Answer(201, {"id": number}, content_type=JSON)

    # events

    def list_events(self) -> Answer:
        self._level("event")
        calendar = self._number("calendar", 0)
        start, end = self._value("start"), self._value("end")
        if start and end:
            low, high = parse_loose_time(start), parse_loose_time(end)
            if low is None or high is None:
                raise legacy_code(500)
            calendars = [calendar] if calendar else []
            if self._value("subordinate") == "true":
                calendars += [
                    each.calendar
                    for each in self._state.connections.values()
                    if each.target == calendar and each.calendar != calendar
                ]
            rows = event_views.window(self._state, self._user, calendars, low, high)
            return self._listed(rows, len(rows))
        if self._value("page") is None or self._value("limit") is None:
            raise legacy_code(400, _NEEDS_INTERVAL)
        return self._page_of_events(calendar, self._number("page", 1), self._number("limit", 10))

    def _page_of_events(self, calendar: int, page: int, limit: int) -> Answer:
        rows = self._filtered_events(calendar)
        total = len(rows)
        if self._state.settings.unstable_paging:
            rows = event_views.unstable(rows, max(page, 1), limit)
        else:
            rows = rows[(page - 1) * limit : page * limit]
        shown = [event_views.view(self._state, self._user, event, in_list=True) for event in rows]
        return self._listed(shown, total)

    def _filtered_events(self, calendar: int) -> list[Event]:
        table = self._state.events
        moment = self._parameters.get("updatedAt")
        uid = self._value("uid")
        series = self._value("recurringEventId")
        low = _moment(moment) if moment else None
        if uid is not None:
            ids = table.with_key("uid", uid)
        elif moment is not None and moment.sign in ("gt", "gte"):
            ids = sorted(table.between(low, None, with_low=moment.sign == "gte"))
        else:
            ids = table.with_key("calendar", calendar)
        found = (table.get(number) for number in ids)
        rows = [each for each in found if each is not None and calendar and each.calendar == calendar]
        if moment is not None and low is not None:
            rows = [each for each in rows if _compares(each.updated_at, moment.sign, low)]
        if series is not None:
            rows = [each for each in rows if series in (str(each.id), str(each.series))]
        return [each for each in rows if self._state.may_event(self._user, each)]

    def _event(self, text: str, action: str = "view") -> Event:
        self._level("event", action)
        event = self._state.events.get(int(text))
        if event is None:
            raise LegacyRefused(404)
        if not self._state.may_event(self._user, event, action):
            raise legacy_code(403)
        return event

    def get_event(self, text: str) -> Answer:
        event = self._event(text)
        return Answer(200, event_views.view(self._state, self._user, event), content_type=JSON)

    def get_event_of_calendar(self, calendar: str, text: str) -> Answer:
        if self._event(text).calendar != int(calendar):
            raise LegacyRefused(404)
        return self.get_event(text)

    def create_event(self) -> Answer:
        self._level("event", "create")
        event = event_rules.create(self._state, self._user, self._body())
        shown = {"id": event.id, **event_views.written(self._state, self._user, event)}
        return Answer(201, shown, content_type=JSON)

    def update_event(self, text: str) -> Answer:
        event = self._event(text, "edit")
        event_rules.update(self._state, self._user, event, self._body())
        return Answer(200, event_views.written(self._state, self._user, event), content_type=JSON)

    def delete_event(self, text: str) -> Answer:
        event_rules.delete(self._state, self._user, self._event(text, "delete"))
        return _done()

    def activities(self, text: str) -> Answer:
        """Everything that is about one contact (activities-targets-contact)."""
        self._level("contact")
        if int(text) not in self._state.contacts:
            raise legacy_code(404)
        shown = [
            {"id": each.id, "entity": CLASSES[entity], "title": each.title}
            for entity, each in legacy_views.activities(self._state, int(text))
            if self._state.level(self._user, entity) != NONE
        ]
        return Answer(200, shown, content_type=JSON)

    def relations(self, text: str) -> Answer:
        event = self._event(text)
        found = (self._state.contacts.get(number) for number in event.contacts)
        rows = [legacy_views.contact_target(contact) for contact in found if contact is not None]
        return Answer(200, rows, content_type=JSON)

    def relate(self, text: str) -> Answer:
        event = self._event(text, "edit")
        for target in self._body().get("targets") or ():
            if target.get("entity") not in ("contact", "contacts", CLASSES["contact"]):
                raise legacy_code(400, "Validation Failed")
            self._link(event, int(target["id"]), linked=True)
        return _done()

    def unrelate(self, text: str, contact: str) -> Answer:
        self._link(self._event(text, "edit"), int(contact), linked=False)
        return _done()

    def _link(self, event: Event, contact: int, *, linked: bool) -> None:
        if linked == (contact in event.contacts):
            return
        event.contacts = [*event.contacts, contact] if linked else [n for n in event.contacts if n != contact]
        event.updated_at = self._state.now()
        self._state.events.save(event)

    # workflow

    def get_item(self, item: str) -> Answer:
        self._level("task")
        task = task_rules.task_of_item(self._state, int(item))
        return Answer(200, task_rules.item_view(int(item), task.id), content_type=JSON)

    def delete_item(self, item: str) -> Answer:
        self._level("workflow")
        task_rules.delete_item(self._state, int(item))
        return _done()

    def transit(self, item: str, transition: str) -> Answer:
        shown = task_rules.transit(self._state, self._user, int(item), transition)
        return Answer(200, shown, content_type=JSON)

    def start(self, _transition: str) -> Answer:
        shown = task_rules.start(self._state, self._user, self._number("entityId", 0))
        return Answer(200, shown, content_type=JSON)

    def switch(self, verb: str) -> Answer:
        self._level("workflow", "edit")
        task_rules.set_active(self._state, active=verb == "activate")
        return Answer(200, {"successful": True, "message": f"Workflow {verb}d"}, content_type=JSON)

    # plain copies

    def list_tasks(self) -> Answer:
        self._level("task")
        rows = [task for task in self._state.tasks if self._state.may(self._user, "task", "view", task.owner)]
        rows = self._by_update(rows)
        shown = [legacy_views.task(self._state, each) for each in self._cut(rows)]
        return self._listed(shown, len(rows))

    def get_task(self, text: str) -> Answer:
        self._level("task")
        task = self._state.tasks.get(int(text))
        if task is None:
            raise LegacyRefused(404)
        if not self._state.may(self._user, "task", "view", task.owner):
            raise legacy_code(403)
        return Answer(200, legacy_views.task(self._state, task), content_type=JSON)

    def put_task(self, text: str) -> Answer:
        """No form of PUT was found that passes (rest-old-task-put, rest-old-task-put-wrapped)."""
        self.get_task(text)
        return Answer(400, {name: [] for name in legacy_views.TASK_FORM}, content_type=JSON)

    def list_contacts(self) -> Answer:
        self._level("contact")
        contacts = self._state.contacts
        rows = [each for each in contacts if self._state.may(self._user, "contact", "view", each.owner)]
        rows = self._by_update(rows)
        shown = [legacy_views.contact(self._state, each) for each in self._cut(rows)]
        return self._listed(shown, len(rows))

    def _by_update(self, rows: list[Any]) -> list[Any]:
        moment = self._parameters.get("updatedAt")
        if moment is None:
            return rows
        wanted = _moment(moment)
        return [each for each in rows if _compares(each.updated_at, moment.sign, wanted)]

    def _cut(self, rows: list[Any]) -> list[Any]:
        page, limit = self._number("page", 1), self._number("limit", 10)
        return rows[(page - 1) * limit : page * limit]

    # audit

    def list_audits(self) -> Answer:
        self._level("audit")
        table = self._state.audits
        moment = self._parameters.get("loggedAt")
        wanted = _moment(moment) if moment else None
        action, of_class = self._value("action"), self._value("objectClass")
        if moment is not None and moment.sign in ("gt", "gte"):
            ids = table.between(wanted, None, with_low=moment.sign == "gte")
        else:
            ids = table.with_key("action", action) if action else table.ids
        found = (table.get(number) for number in ids)
        rows = [
            each
            for each in found
            if each is not None
            and action in (None, each.action)
            and of_class in (None, each.object_class)
            and (moment is None or wanted is None or _compares(each.logged_at, moment.sign, wanted))
        ]
        shown = [legacy_views.audit_entry(self._state, each) for each in self._cut(rows)]
        return self._listed(shown, len(rows))


def _moment(parameter: Parameter) -> datetime:
    moment = parse_loose_time(parameter.value)
    if moment is None:
        raise legacy_code(500)
    return moment


def _compares(value: datetime, sign: str, wanted: datetime) -> bool:
    return {
        "eq": value == wanted,
        "neq": value != wanted,
        "gt": value > wanted,
        "gte": value >= wanted,
        "lt": value < wanted,
        "lte": value <= wanted,
    }[sign]


def _done() -> Answer:
    return Answer(204, content_type=None)


def _route(path: str, **handlers: Handler) -> tuple[re.Pattern[str], dict[str, Handler]]:
    pattern = path.replace("{n}", r"(\d+)").replace("{word}", r"(\w+)")
    return re.compile(pattern), handlers


_ROUTES = [
    _route("calendars/default", GET=LegacyApi.default_calendar),
    _route("calendars/{n}/connections", GET=LegacyApi.connections),
    _route("calendars/{n}/events/{n}", GET=LegacyApi.get_event_of_calendar),
    _route("calendarconnections", POST=LegacyApi.add_connection),
    _route("calendarevents", GET=LegacyApi.list_events, POST=LegacyApi.create_event),
    _route(
        "calendarevents/{n}",
        GET=LegacyApi.get_event,
        PUT=LegacyApi.update_event,
        DELETE=LegacyApi.delete_event,
    ),
    _route("activities/calendarevents/{n}/relations", GET=LegacyApi.relations, POST=LegacyApi.relate),
    _route("activities/calendarevents/{n}/contacts?/{n}", DELETE=LegacyApi.unrelate),
    _route("activities/targets/contacts/{n}", GET=LegacyApi.activities),
    _route("workflow/{n}", GET=LegacyApi.get_item, DELETE=LegacyApi.delete_item),
    _route("workflow/transit/{n}/{word}", POST=LegacyApi.transit),
    _route("workflow/start/task_flow/{word}", POST=LegacyApi.start),
    _route("workflow/(activate|deactivate)/task_flow", POST=LegacyApi.switch),
    _route("tasks", GET=LegacyApi.list_tasks),
    _route("tasks/{n}", GET=LegacyApi.get_task, PUT=LegacyApi.put_task),
    _route("contacts", GET=LegacyApi.list_contacts),
    _route("audits", GET=LegacyApi.list_audits),
]
