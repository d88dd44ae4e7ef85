"""Runs, ops and what they wrote, as the API tells them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from orosync.bootstrap import AccountStore
from orosync.core.ledger import OplogEntry
from orosync.core.records import Entity, Json, Link, Side, Snapshot
from orosync.core.scope import title_of

MODES = ("sync", "preview", "resync", "resync_preview", "undo", "undo_preview")
_OVER = frozenset({"done", "held", "failed", "suspended", "cancelled"})


def is_over(run: Json) -> bool:
    return run["state"] in _OVER


def as_run(row: Json, *, titles: Mapping[tuple[str, str, str], str] | None = None) -> Json:
    """row: as `AccountStore.run` has it. titles: of the records that an undo left alone, by entity, side and id."""
    summary = row["summary"] or {}
    entities = summary.get("entities") or {}
    written = _written(entities) + int(summary.get("taken_back") or 0)
    over = is_over(row)
    return {
        "run": row["run"],
        "mode": row["mode"],
        "state": row["state"],
        "requested_at": row["requested_at"] or row["started_at"],
        "started_at": row["started_at"],
        "finished_at": row["finished_at"],
        "progress": None if over else row["progress"],
        "plan_hash": summary.get("plan_hash") or "",
        "limits": summary.get("limits") or [],
        "problems": summary.get("problems") or [],
        "seconds": summary.get("seconds") or 0,
        "requests": summary.get("requests") or {side.value: 0 for side in Side},
        "entities": entities,
        "undo": _undo(summary, titles or {}),
        "written": 0 if row["mode"].endswith("preview") else written,
        "can_undo": over and row["mode"] in {"sync", "resync"} and written > 0,
    }


def _undo(summary: Json, titles: Mapping[tuple[str, str, str], str]) -> Json | None:
    if "undo_of" not in summary:
        return None
    left = [
        {"title": titles.get(_key(each), ""), "entity": each["entity"], "why": each["why"]}
        for each in summary.get("left") or ()
        if isinstance(each, dict)
    ]
    return {"of": summary["undo_of"], "taken_back": summary.get("taken_back") or 0, "left": left}


def _key(row: Json) -> tuple[str, str, str]:
    return row["entity"], row["side"], str(row["outlook_id" if row["side"] == Side.OUTLOOK else "oro_id"])


def _written(entities: Json) -> int:
    return sum(sum(counts[side.value].values()) for counts in entities.values() for side in Side)


# ------------------------------------------------------------------------------------------------ ops


def planned_op(op: Json) -> Json:
    """op: as `Op.to_json` writes it."""
    names = list(op["values"])
    return {
        **{name: op[name] for name in ("verb", "entity", "side", "title", "rule", "reason", "outlook_id", "oro_id")},
        "fields": [{"name": name, "before": op["before"].get(name), "after": op["values"][name]} for name in names],
        "mails": op["mails"],
        "overwrites": op["overwrites"],
        "undone": False,
    }


def done_op(entry: OplogEntry, title: str) -> Json:
    before, after = entry.before or {}, entry.after or {}
    names = list(after) or list(before)
    return {
        "verb": entry.verb,
        "entity": entry.entity.value,
        "side": entry.side.value,
        "title": title,
        "rule": entry.rule,
        "reason": entry.reason,
        "outlook_id": entry.outlook_id,
        "oro_id": entry.oro_id,
        "fields": [{"name": name, "before": before.get(name), "after": after.get(name)} for name in names],
        "mails": entry.mails,
        "overwrites": entry.overwrites,
        "undone": entry.undone_by is not None,
    }


# ------------------------------------------------------------------------------------------------ names of records


def titles_of(store: AccountStore, wanted: Iterable[tuple[Entity, Side, str]]) -> dict[tuple[Entity, Side, str], str]:
    """What people call the records: from what both sides last agreed on. Records without a link are left out."""
    found: dict[tuple[Entity, Side, str], str] = {}
    groups: dict[tuple[Entity, Side], set[str]] = {}
    for entity, side, native in wanted:
        groups.setdefault((entity, side), set()).add(native)
    for (entity, side), ids in groups.items():
        links = {**store.tombstones(entity, side, ids), **store.links_by_id(side, entity, ids)}
        for native, link in links.items():
            found[entity, side, native] = _title(link)
    return found


def _title(link: Link) -> str:
    for side in (Side.ORO, Side.OUTLOOK):
        shadow = link.shadows.get(side)
        if shadow:
            return title_of(_BLANK_OF[link.entity](shadow))
    return ""


def title_from(entity: Entity, record: Mapping[str, Any] | None) -> str:
    """Of a record of which only some fields are at hand."""
    return title_of(_BLANK_OF[entity](record or {}))


def with_titles(store: AccountStore, ops: Sequence[Json]) -> list[Json]:
    """Planned ops that were kept without the record's name, as those of an undo are, get it."""

    def key(op: Json) -> tuple[Entity, Side, str]:
        side = Side(op["side"])
        return Entity(op["entity"]), side, str(op["outlook_id" if side is Side.OUTLOOK else "oro_id"])

    known = titles_of(store, [key(op) for op in ops if not op["title"]])
    return [
        op
        if op["title"]
        else {**op, "title": known.get(key(op)) or title_from(key(op)[0], op["before"] or op["values"])}
        for op in ops
    ]


class _Lenient(dict[str, Any]):
    def __missing__(self, _name: str) -> None:
        return None


def _of(entity: Entity) -> Any:
    blank = Snapshot(Side.ORO, entity, "", "", {})
    return lambda record: replace(blank, record=_Lenient(record))


_BLANK_OF = {entity: _of(entity) for entity in Entity}


def entry_titles(store: AccountStore, entries: Sequence[OplogEntry]) -> list[str]:
    """One for each entry, as far as known."""
    keys = [(e.entity, e.side, str(e.outlook_id if e.side is Side.OUTLOOK else e.oro_id)) for e in entries]
    known = titles_of(store, keys)
    return [
        known.get(key) or title_from(entry.entity, {**(entry.before or {}), **(entry.after or {})})
        for key, entry in zip(keys, entries, strict=True)
    ]
