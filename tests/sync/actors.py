"""People's hands on both sides, alike for all entities, so that one table can be told of contacts, tasks and events.

Each entity has a name that is its match key, and two further fields, `first` and `second`, that are edited.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.sync.world import KINDS, World

from orosync.core.records import Entity

_STAMP = "OroCRM_id"
# the notes of tasks and events travel both ways only where an administrator wants it
NOTES = {"field_direction.task.description": "both", "field_direction.event.description": "both"}
State = dict[Entity, tuple[list[Any], list[Any]]]


@dataclass(frozen=True)
class Hands:
    """What a person does with records of one entity. Values of `first` and `second` are numbered: 0, 1, 2..."""

    world: World
    entity: Entity

    # -------------------------------------------------------------------------------------------- OroCRM

    def make_in_oro(self, name: str, first: int = 0, second: int = 0) -> int:
        values = {**self._oro_key(name), **self._oro("first", first), **self._oro("second", second)}
        return self.world.office.create(KINDS[self.entity], values)

    def edit_in_oro(self, number: int, field: str, value: int) -> None:
        self.world.clock.forward(seconds=5)
        self.world.office.edit(KINDS[self.entity], number, self._oro(field, value))

    def delete_in_oro(self, number: int) -> None:
        self.world.office.delete(KINDS[self.entity], number)

    def oro(self) -> dict[int, tuple[str, int | None, int | None]]:
        """id -> (name, first, second)."""
        return {int(row["id"]): self._read_oro(row) for row in self.world.in_oro(self.entity)}

    # -------------------------------------------------------------------------------------------- Outlook

    def make_in_outlook(self, name: str, first: int = 0, second: int = 0) -> str:
        item = {**self._outlook_key(name), **self._outlook("first", first), **self._outlook("second", second)}
        return self.world.mailbox.user_create(KINDS[self.entity], item)  # type: ignore[arg-type]

    def edit_in_outlook(self, native: str, field: str, value: int) -> None:
        self.world.clock.forward(seconds=5)
        self.world.mailbox.user_update(KINDS[self.entity], native, self._outlook(field, value))  # type: ignore[arg-type]

    def delete_in_outlook(self, native: str) -> None:
        self.world.mailbox.user_delete(KINDS[self.entity], native)  # type: ignore[arg-type]

    def outlook(self) -> dict[str, tuple[str, int | None, int | None]]:
        return {str(row["id"]): self._read_outlook(row) for row in self.world.outlook(self.entity)}

    def stamps(self) -> dict[str, str | None]:
        """Outlook id -> OroCRM's id found on it."""
        return {str(row["id"]): _stamp_of(row) for row in self.world.outlook(self.entity)}

    # -------------------------------------------------------------------------------------------- fields

    def _oro_key(self, name: str) -> dict[str, Any]:
        if self.entity is Entity.CONTACT:
            return {
                "firstName": name,
                "lastName": "Lovelace",
                "emails": [{"email": f"{name.lower()}@example.com"}],
                "primaryEmail": f"{name.lower()}@example.com",
            }
        if self.entity is Entity.TASK:
            return {"subject": name}
        return {"title": name, "start": "2026-12-01T10:00:00Z", "end": "2026-12-01T11:00:00Z"}

    def _outlook_key(self, name: str) -> dict[str, Any]:
        if self.entity is Entity.CONTACT:
            address = {"name": name, "address": f"{name.lower()}@example.com"}
            return {"givenName": name, "surname": "Lovelace", "emailAddresses": [address]}
        if self.entity is Entity.TASK:
            return {"title": name}
        return {
            "subject": name,
            "start": {"dateTime": "2026-12-01T11:00:00", "timeZone": "Europe/Berlin"},
            "end": {"dateTime": "2026-12-01T12:00:00", "timeZone": "Europe/Berlin"},
        }

    def _oro(self, field: str, value: int) -> dict[str, Any]:
        if self.entity is Entity.CONTACT:
            return {"jobTitle": f"job {value}"} if field == "first" else {"description": f"note {value}"}
        if self.entity is Entity.TASK:
            if field == "first":
                return {"dueDate": f"2026-12-{value + 10:02d}T12:00:00Z"}
            return {"description": f"note {value}"}
        return {"description": f"note {value}"} if field == "second" else {"backgroundColor": None, **_later(value)}

    def _outlook(self, field: str, value: int) -> dict[str, Any]:
        if self.entity is Entity.CONTACT:
            return {"jobTitle": f"job {value}"} if field == "first" else {"personalNotes": f"note {value}"}
        note = {"body": {"content": f"note {value}", "contentType": "text"}}
        if field == "second":
            return note
        if self.entity is Entity.TASK:
            return {"dueDateTime": {"dateTime": f"2026-12-{value + 10:02d}T00:00:00", "timeZone": "UTC"}}
        times = _later(value)
        return {name: {"dateTime": str(times[name]).rstrip("Z"), "timeZone": "UTC"} for name in ("start", "end")}

    def _read_oro(self, row: dict[str, Any]) -> tuple[str, int | None, int | None]:
        if self.entity is Entity.CONTACT:
            return (row["firstName"], _number(row["jobTitle"]), _number(row["description"]))
        if self.entity is Entity.TASK:
            due = row["dueDate"]
            return (row["subject"], due.day - 10 if due else None, _number(row["description"]))
        return (row["title"], int(row["end"][14:16]), _number(row["description"]))

    def _read_outlook(self, row: dict[str, Any]) -> tuple[str, int | None, int | None]:
        if self.entity is Entity.CONTACT:
            return (row["givenName"], _number(row.get("jobTitle")), _number(row.get("personalNotes")))
        note = _number((row.get("body") or {}).get("content"))
        if self.entity is Entity.TASK:
            due = (row.get("dueDateTime") or {}).get("dateTime")
            return (row["title"], int(due[8:10]) - 10 if due else None, note)
        return (row["subject"], int(row["end"]["dateTime"][14:16]), note)


def state_of(world: World) -> State:
    """Everything on both sides, but for ids."""
    return {
        entity: (sorted(Hands(world, entity).oro().values()), sorted(Hands(world, entity).outlook().values()))
        for entity in Entity
    }


def _later(value: int) -> dict[str, Any]:
    """An event's end moves by minutes; its start and the rest of its key stay, so that `value` 0 is the key's own."""
    return {"start": "2026-12-01T10:00:00Z", "end": f"2026-12-01T11:{value:02d}:00Z"}


def _number(text: str | None) -> int | None:
    """ "note 3", wrapped in whatever markup, is 3."""
    digits = [word for word in (text or "").replace("<", " ").replace(">", " ").split() if word.isdigit()]
    return int(digits[0]) if digits else None


def _stamp_of(row: dict[str, Any]) -> str | None:
    for link in row.get("linkedResources") or []:
        if link["applicationName"] == "OroCRM":
            return str(link["externalId"])
    return next((str(value) for key, value in row["extended"].items() if str(key).endswith(_STAMP)), None)
