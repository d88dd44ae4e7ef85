"""What a story comes to: everything on both sides and in our books, but for ids, versions and times.

Two ends of the same story are the same if nothing was lost, doubled or left half done on the way.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.sync.world import World

from orosync.core.records import Entity, Link, LinkState, Side
from orosync.core.scope import SPARE

_OWN_OF_A_COPY = {
    "id", "@odata.etag", "changeKey", "createdDateTime", "lastModifiedDateTime", "bodyLastModifiedDateTime",
    "parentFolderId", "containerId", "iCalUId", "webLink", "transactionId", "extended", "linkedResources",
    "completedDateTime", "createdAt", "updatedAt", "uid", "externalId", "workflowItem", "contact",
}  # fmt: skip


def plain(value: Any) -> Any:
    """Without what differs from copy to copy."""
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in sorted(value.items()) if name not in _OWN_OF_A_COPY}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def stamp_of(row: Mapping[str, Any]) -> str | None:
    for resource in row.get("linkedResources") or []:
        if resource["applicationName"] == "OroCRM":
            return str(resource["externalId"])
    return next((str(value) for name, value in row["extended"].items() if str(name).endswith("OroCRM_id")), None)


def end_state(world: World) -> dict[str, Any]:
    """As JSON: per entity its pairs, and what stands alone on either side; and what is left open in our books."""
    state: dict[str, Any] = {entity.value: _records(world, entity) for entity in Entity}
    store = world.store
    state["left open"] = {
        "pending": store.pending_count(),
        "quarantined": [[row.side.value, row.code] for row in store.quarantined()],
        "questions": sorted([row.entity.value, row.field] for row in store.conflicts()),
        "account": store.account().state,
    }
    return json.loads(json.dumps(state))  # type: ignore[no-any-return]


def _records(world: World, entity: Entity) -> dict[str, Any]:
    outlook = {str(row["id"]): row for row in world.outlook(entity)}
    oro = {str(row["id"]): row for row in world.in_oro(entity)}
    links = [link for link in world.store.links(entity) if link.state is not LinkState.TOMBSTONE]
    linked = {side: {link.id_on(side) for link in links} for side in Side}
    return {
        "pairs": _sorted([_pair(link, outlook, oro) for link in links]),
        "alone in Outlook": _sorted(
            [plain(row) for native, row in outlook.items() if native not in linked[Side.OUTLOOK]]
        ),
        "alone in OroCRM": _sorted([plain(row) for native, row in oro.items() if native not in linked[Side.ORO]]),
    }


def _pair(link: Link, outlook: Mapping[str, Any], oro: Mapping[str, Any]) -> dict[str, Any]:
    item, record = outlook.get(str(link.outlook_id)), oro.get(str(link.oro_id))
    return {
        "state": link.state.value,
        "outlook": None if item is None else plain(item),
        "oro": None if record is None else plain(record),
        "stamped": item is not None and stamp_of(item) == link.oro_id,
        "shadows": {side.value: plain(dict(shadow)) for side, shadow in link.shadows.items()},
    }


def _sorted(rows: list[Any]) -> list[Any]:
    return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))


# ------------------------------------------------------------------------------------------------ judged by itself


def without_doubles(world: World, state: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    """The state without what a system made twice, because its create was delivered twice and neither Graph nor OroCRM
    knows contacts and tasks by anything that we could send along (an event has its transactionId, and its uid).

    In Outlook each double is a copy of a linked item with the same stamp: it is left alone, reported, and travels
    nowhere. In OroCRM each is a record like any that a person makes: it gets a partner of its own where OroCRM's
    records travel to Outlook. Either way no other record is touched. (A double of a closed task is open: its status is
    a second step, which was taken once.)

    An event is never doubled. If the answer that came was the second one, a refusal, it is linked by its uid; but an
    undo does not take it back, since nothing says that it was made by us.
    """
    cleaned = json.loads(json.dumps(state))
    for entity in Entity:
        mine, wanted = cleaned[entity.value], expected[entity.value]
        alone = {"outlook": "alone in Outlook", "oro": "alone in OroCRM"}
        twins = {_name(half) for pair in wanted["pairs"] for half in (pair["outlook"], pair["oro"])}
        twins |= {_name(row) for name in alone.values() for row in wanted[name]}
        for row in _surplus(mine["pairs"], wanted["pairs"]):
            assert {_name(row["outlook"]), _name(row["oro"])} <= twins, f"a double without a twin: {row}"
            mine["pairs"].remove(row)
            if entity is Entity.EVENT:  # the second create was refused, so that nobody knows who made it: it stays
                mine[alone["outlook"]] = _sorted([*mine[alone["outlook"]], row["outlook"]])
        for side, name in alone.items():
            for row in _surplus(mine[name], wanted[name]):
                assert entity is not Entity.EVENT, f"an event was doubled: {row}"
                assert _name(row) in twins, f"a double without a twin: {row}"
                mine[name].remove(row)
                told = [each for each in world.store.unlinked(Side.OUTLOOK, entity) if each.why == SPARE[1]]
                assert side == "oro" or told, f"nobody is told of the double: {row}"
    return cleaned  # type: ignore[no-any-return]


def _surplus(rows: list[Any], wanted: list[Any]) -> list[Any]:
    left = list(wanted)
    surplus = []
    for row in rows:
        if row in left:
            left.remove(row)
        else:
            surplus.append(row)
    return surplus


def without_stamps(state: dict[str, Any]) -> dict[str, Any]:
    """A stamp that Outlook refused to take is not tried again: it is a hint, never the identity."""
    cleaned = json.loads(json.dumps(state))
    for entity in Entity:
        for pair in cleaned[entity.value]["pairs"]:
            del pair["stamped"]
        cleaned[entity.value]["pairs"] = _sorted(cleaned[entity.value]["pairs"])
    return cleaned  # type: ignore[no-any-return]


def values_lost(world: World, entered: list[str]) -> list[str]:
    """Values that people entered and that are nowhere any more (I4)."""
    store = world.store
    everything: list[Any] = [world.mailbox.deleted_items]
    for entity in Entity:
        everything += [world.outlook(entity), world.in_oro(entity)]
        everything += [dict(link.shadows) for link in store.links(entity)]
    for run in store.runs(200):
        everything += [[entry.before, entry.after] for entry in store.oplog(str(run["run"]))]
    everything += [[row.base, row.outlook, row.oro] for row in store.conflicts(open_only=False)]
    text = json.dumps(plain(everything), ensure_ascii=False)
    return [value for value in entered if value not in text]


def what_differs(state: Any, expected: Any, path: str = "") -> list[str]:
    """In words, for a person who looks for the reason."""
    if isinstance(state, dict) and isinstance(expected, dict):
        names = sorted({*state, *expected})
        return [line for name in names for line in what_differs(state.get(name), expected.get(name), f"{path}/{name}")]
    if isinstance(state, list) and isinstance(expected, list) and len(state) == len(expected):
        pairs = enumerate(zip(state, expected, strict=True))
        return [line for n, (one, other) in pairs for line in what_differs(one, other, f"{path}[{n}]")]
    return [] if state == expected else [f"{path}: {_short(state)} in place of {_short(expected)}"]


def _short(value: Any) -> str:
    if isinstance(value, list):
        names = [_name(each) for each in value]
        return f"{len(value)} rows {names}"
    return json.dumps(value, ensure_ascii=False)[:300]


def _name(row: Any) -> Any:
    if not isinstance(row, dict):
        return row
    half = row.get("outlook") or row.get("oro") or row
    return next((half[name] for name in ("givenName", "firstName", "subject", "title") if half.get(name)), "?")
