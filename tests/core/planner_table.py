"""What the planner has to say, as tables for people: written from design.md 4.1, 4.3 and the rules R9 to R18 alone.

Nothing here is taken from the planner or calls it. `test_planner_table.py` asks both about every combination and
compares. A cell is a deed: "verb side rule", "wait" (nothing can be decided now), "nothing", "agree" (both say the same
by now: the shadows move), "@name" (the table of that name decides). A row is found from the top; "*" fits everything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

# ------------------------------------------------------------------------------------------------ the tables

# A linked record of which a half is not simply there. Nothing is deleted for what nobody has seen to be deleted (I5).
PRESENCE = """
outlook      oro          | what is done
unreadable   *            | wait
*            unreadable   | wait
absent       *            | wait
*            absent       | wait
hidden       *            | suspend - out_of_scope
*            hidden       | suspend - out_of_scope
gone         gone         | bury - gone_on_both
gone         there        | @deleted in Outlook
there        gone         | @deleted in OroCRM
there        there        | @changed
"""

# OroCRM's record as it was, or edited since: an edit is never deleted (R14).
DELETED_IN_OUTLOOK = """
direction       oro        | restore                   | propagate                            | ignore
oro_to_outlook  *          | create outlook restored   | create outlook restored              | bury - delete_ignored
outlook_to_oro  *          | bury - stays_in_oro       | bury - stays_in_oro                  | bury - stays_in_oro
bidirectional   untouched  | create outlook restored   | delete oro deleted_in_outlook        | bury - delete_ignored
bidirectional   edited     | create outlook restored   | create outlook edit_beats_delete     | bury - delete_ignored
"""

DELETED_IN_ORO = """
direction       outlook    | propagate                      | ignore
oro_to_outlook  *          | bury - stays_in_outlook        | bury - stays_in_outlook
*               untouched  | delete outlook deleted_in_oro  | bury - delete_ignored
*               edited     | create oro edit_beats_delete   | bury - delete_ignored
"""

# One field of a pair, by where it may be written: its own direction within the account's. Nowhere: nothing is done.
CHANGED = """
outlook    oro        | only outlook                  | only oro                      | both
untouched  untouched  | nothing                       | nothing                       | nothing
untouched  edited     | update outlook oro_is_master  | update oro outlook_is_master  | update outlook changed_in_oro
edited     untouched  | leave outlook stays_in_outlook| update oro outlook_is_master  | update oro changed_in_outlook
alike      alike      | agree                         | agree                         | agree
edited     edited     | update outlook oro_is_master  | update oro outlook_is_master  | @both changed
"""

# Both changed it, each in its own way; clocks count under `newest` alone, and only where they can be told apart.
BOTH_CHANGED = """
rule          later              | what is done
oro_wins      *                  | update outlook oro_wins
outlook_wins  *                  | update oro outlook_wins
newest        outlook by 121 s   | update oro newest
newest        *                  | update outlook newest
ask           *                  | ask
"""

# A field that was never in step: nobody can tell who changed it, and an empty one erases nothing (R18, 0008).
NEVER_IN_STEP = """
what they say     | only outlook                | only oro                | both
the same          | agree                       | agree                   | agree
not the same      | update outlook first_values | update oro first_values | update outlook first_values
outlook is empty  | update outlook filled       | agree                   | update outlook filled
oro is empty      | agree                       | update oro filled       | update oro filled
"""

# A resync of a field that differs although neither changed since both were last in step: as at the first sync.
# One-way to Outlook it also takes back what was edited there: OroCRM's values win.
RESYNC_CHANGED = CHANGED.replace("leave outlook stays_in_outlook", "update outlook oro_record_changed ")

# A record alone, in the order in which reasons are given: privacy first, then what is not for us, then what is for us
# but not now.
LEFT_ALONE = """
circumstance                                             side     | rule
it is private in Outlook                                 outlook  | private
it is not among what this account syncs                  *        | not_selected
a colleague organises the meeting                        outlook  | meeting_of_a_colleague
the event is outside the window                          *        | outside_window
another one that matches too was chosen                  *        | several_match
its partner was deleted once                             *        | deleted_before
this direction creates nothing there                     *        | direction
it has nothing the other side could hold                 *        | nothing_to_send
"""

# A write of ours to a meeting, by who organises it and by the setting: nobody is mailed unless that was chosen (I20).
MEETINGS = """
attendees  organiser  updates    | change in Outlook                       | deletion in Outlook
none       we         *          | update                                  | delete
some       we         organiser  | update and mail                         | delete and mail
*          *          *          | leave outlook meeting_not_changed       | bury - meeting_not_deleted
"""

# A private item, by the setting and by what it is (design.md 4.3: `busy_only` speaks of events).
PRIVATE = """
setting    entity  | linked                  | alone                  | just matched
include    *       | as any other            | as any other           | as any other
busy_only  event   | as any other            | as any other           | as any other
*          *       | suspend - out_of_scope  | leave outlook private  | leave outlook private
"""

# Where a field of each direction may be written, in an account of each direction.
OPEN = {
    "bidirectional": {"outlook", "oro"},
    "oro_to_outlook": {"outlook"},
    "outlook_to_oro": {"oro"},
    "both": {"outlook", "oro"},
    "to_outlook": {"outlook"},
    "to_oro": {"oro"},
    "off": set[str](),
}

# ------------------------------------------------------------------------------------------------ reading them


@dataclass(frozen=True, slots=True)
class Deed:
    """side "-": no side is written; rule "": nothing is said."""

    verb: str
    side: str = "-"
    rule: str = ""

    @classmethod
    def of(cls, cell: str) -> Deed:
        return cls(*cell.split())


class Table:
    """Rows of conditions and the deeds of each column."""

    def __init__(self, text: str, conditions: int) -> None:
        head, *lines = (line.split("|") for line in text.strip().splitlines())
        self.columns = [cell.strip() for cell in head[1:]]
        # conditions may consist of several words: they stand where their headings stand
        starts = _starts(head[0], conditions)
        self.rows = [(_sliced(line[0], starts), [cell.strip() for cell in line[1:]]) for line in lines]

    def cell(self, *found: str, column: str = "") -> str:
        """The first row that fits; a situation that no row fits is a hole in the table."""
        place = self.columns.index(column) if column else 0
        for conditions, cells in self.rows:
            if all(condition in ("*", each) for condition, each in zip(conditions, found, strict=True)):
                return cells[place]
        raise LookupError(found)

    def deeds(self) -> Iterator[Deed]:
        for _, cells in self.rows:
            said = (cell.split() for cell in cells)
            yield from (Deed(*words) for words in said if len(words) == 3 and words[1] in {"-", "outlook", "oro"})


def _starts(heading: str, conditions: int) -> list[int]:
    """Columns of conditions begin after two blanks or more."""
    starts = [0] + [
        place for place in range(2, len(heading)) if heading[place] != " " and heading[place - 2 : place] == "  "
    ]
    assert len(starts) == conditions, (heading, starts)
    return starts


def _sliced(text: str, starts: list[int]) -> list[str]:
    ends = [*starts[1:], len(text)]
    return [text[start:end].strip() for start, end in zip(starts, ends, strict=True)]


TABLES: Mapping[str, Table] = {
    "presence": Table(PRESENCE, 2),
    "deleted in Outlook": Table(DELETED_IN_OUTLOOK, 2),
    "deleted in OroCRM": Table(DELETED_IN_ORO, 2),
    "changed": Table(CHANGED, 2),
    "changed, resync": Table(RESYNC_CHANGED, 2),
    "both changed": Table(BOTH_CHANGED, 2),
    "never in step": Table(NEVER_IN_STEP, 1),
    "left alone": Table(LEFT_ALONE, 2),
    "meetings": Table(MEETINGS, 3),
    "private": Table(PRIVATE, 2),
}

# ------------------------------------------------------------------------------------------------ a row's answer

NOT_THERE = frozenset({"absent", "gone", "hidden", "unreadable"})


@dataclass(frozen=True, slots=True)
class Situation:
    """One row. outlook, oro: a word of NOT_THERE, or a value ("" is empty). base: the value both last agreed on, None
    where the field was never in step; `apart` is what OroCRM's record had then, where that was another one. later:
    which side's clock says so, by how much."""

    outlook: str
    oro: str
    base: str | None
    direction: str = "bidirectional"
    conflict: str = "oro_wins"
    in_outlook: str = "restore"
    in_oro: str = "propagate"
    field: str = "both"
    later: str = ""
    resync: bool = False
    apart: str | None = None

    @property
    def open_to(self) -> str:
        """The column of where the field may be written."""
        sides = OPEN[self.direction] & OPEN[self.field]
        return "both" if len(sides) == 2 else f"only {next(iter(sides))}" if sides else "neither"

    def word(self, side: str) -> str:
        value = getattr(self, side)
        return value if value in NOT_THERE else "there"

    def edited(self, side: str) -> str:
        """Of a field that was never in step nobody can say that it was edited."""
        agreed = {"outlook": self.base, "oro": self.base if self.apart is None else self.apart}
        changed = {each for each, value in agreed.items() if self.base is not None and getattr(self, each) != value}
        if changed and self.outlook == self.oro:
            return "alike"
        return "edited" if side in changed else "untouched"


def deed_of(row: Situation) -> Deed:
    """What the tables say of a linked record in this situation."""
    cell = TABLES["presence"].cell(row.word("outlook"), row.word("oro"))
    if cell == "@deleted in Outlook":
        cell = TABLES[cell[1:]].cell(row.direction, row.edited("oro"), column=row.in_outlook)
    elif cell == "@deleted in OroCRM":
        cell = TABLES[cell[1:]].cell(row.direction, row.edited("outlook"), column=row.in_oro)
    elif cell == "@changed":
        cell = _of_values(row)
    return Deed.of(cell)


def _of_values(row: Situation) -> str:
    if row.open_to == "neither":
        return "nothing"
    if row.base is None:
        return TABLES["never in step"].cell(_compared(row), column=row.open_to)
    edits = (row.edited("outlook"), row.edited("oro"))
    if row.resync and edits == ("untouched", "untouched") and row.outlook != row.oro:
        return TABLES["never in step"].cell(_compared(row), column=row.open_to)
    cell = TABLES["changed, resync" if row.resync else "changed"].cell(*edits, column=row.open_to)
    return TABLES["both changed"].cell(row.conflict, row.later) if cell == "@both changed" else cell


def _compared(row: Situation) -> str:
    if row.outlook == row.oro:
        return "the same"
    return "outlook is empty" if not row.outlook else "oro is empty" if not row.oro else "not the same"


def conflict_of(row: Situation, deed: Deed) -> tuple[str, str | None] | None:
    """(rule, the side whose value is taken) where somebody's own value is overwritten, or a person is asked."""
    if deed.verb == "ask":
        return ("ask", None)
    if deed.verb != "update" or deed.rule == "filled":
        return None
    lost = deed.rule == "first_values" or row.edited(deed.side) != "untouched"
    return (deed.rule, "oro" if deed.side == "outlook" else "outlook") if lost else None


def rules_of(*names: str) -> set[str]:
    """Every rule that these tables name."""
    return {deed.rule for name in names for deed in TABLES[name].deeds() if deed.rule}
