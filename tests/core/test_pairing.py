"""Pairing: stamp before meeting id before match key, the same answer every time, nobody in two pairs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orosync.core.pairing import Candidate, Groups, Pair, oro_uid, pair_records, ties
from orosync.core.records import Side


def pairs(outlook: Sequence[Candidate], oro: Sequence[Candidate], *, by_key: bool = True) -> list[tuple[Any, ...]]:
    found = pair_records(outlook, oro, by_key=by_key)
    return [(each.outlook_id, each.oro_id, each.how, each.candidates) for each in found.pairs]


def test_a_stamp_comes_before_a_meeting_id_and_a_meeting_id_before_a_match_key() -> None:
    outlook = [
        Candidate("stamped", "k", stamp="1", uid="u"),
        Candidate("meeting", "k", uid="u"),
        Candidate("alike", "k"),
    ]
    oro = [Candidate("1", "k"), Candidate("2", "k", uid="u"), Candidate("3", "k")]
    assert pairs(outlook, oro) == [
        ("stamped", "1", "stamp", 1),
        ("meeting", "2", "meeting_id", 1),
        ("alike", "3", "match_key", 1),
    ]


def test_a_stamp_counts_only_where_its_record_is_free() -> None:
    assert pairs([Candidate("o", "k", stamp="99")], [Candidate("1", "k")]) == [("o", "1", "match_key", 1)]


def test_of_several_copies_of_a_stamp_the_equal_one_is_taken_and_the_others_are_spare() -> None:
    outlook = [Candidate("a", stamp="1", digest="x"), Candidate("b", stamp="1", digest="same")]
    found = pair_records(outlook, [Candidate("1", digest="same")], by_key=True)
    assert found.pairs == (Pair("b", "1", "stamp", 2),)
    assert (found.spare_outlook, found.spare_oro) == ({"a"}, set())


def test_a_copy_of_a_stamp_may_still_be_the_partner_of_another_record() -> None:
    outlook = [Candidate("a", "k", stamp="1"), Candidate("b", "k", stamp="1")]
    found = pair_records(outlook, [Candidate("1"), Candidate("2", "k")], by_key=True)
    assert {(each.outlook_id, each.oro_id) for each in found.pairs} == {("a", "1"), ("b", "2")}
    assert found.spare_outlook == set()


@pytest.mark.parametrize("uid", ["ical", oro_uid("ical")])
def test_a_meeting_is_known_by_outlooks_id_or_by_the_short_one_derived_from_it(uid: str) -> None:
    assert pairs([Candidate("o", uid="ical")], [Candidate("1", uid=uid)]) == [("o", "1", "meeting_id", 1)]
    assert len(uid) <= 36


def test_the_same_meeting_in_several_calendars_of_oro_is_paired_once_with_the_oldest() -> None:
    oro = [Candidate("12", uid="u"), Candidate("9", uid="u"), Candidate("3", uid="other"), Candidate("4")]
    assert pairs([Candidate("o", uid="u"), Candidate("p", uid="u"), Candidate("q", uid="none")], oro) == [
        ("o", "9", "meeting_id", 1)
    ]


def test_of_several_matches_one_is_taken_the_same_one_every_time_and_the_others_are_spare() -> None:
    found = pair_records([Candidate("b", "k"), Candidate("a", "k")], [Candidate("7", "k")], by_key=True)
    assert found.pairs == (Pair("a", "7", "match_key", 2),)
    assert found.spare_outlook == {"b"}
    found = pair_records([Candidate("a", "k")], [Candidate("10", "k"), Candidate("9", "k")], by_key=True)
    assert found.pairs == (Pair("a", "9", "match_key", 2),)
    assert found.spare_oro == {"10"}


def test_equal_twins_are_paired_before_the_order_of_ids_decides() -> None:
    outlook = [Candidate("a", "k", digest="x"), Candidate("b", "k", digest="y")]
    oro = [Candidate("1", "k", digest="y"), Candidate("2", "k", digest="z")]
    assert pairs(outlook, oro) == [("b", "1", "match_key", 2), ("a", "2", "match_key", 2)]


def test_records_without_key_are_never_paired_by_it_nor_is_anything_where_the_direction_creates() -> None:
    assert pairs([Candidate("a")], [Candidate("1")]) == []
    assert pairs([Candidate("a", "k")], [Candidate("1", "k")], by_key=False) == []


_KEYS = st.sampled_from([None, "k", "l"])
_IDS = st.sampled_from([str(number) for number in range(1, 12)])


def candidates(*, stamped: bool) -> st.SearchStrategy[list[Candidate]]:
    one = st.builds(
        Candidate,
        id=_IDS,
        match_key=_KEYS,
        stamp=st.one_of(st.none(), _IDS) if stamped else st.none(),
        uid=st.sampled_from([None, "u", "v", oro_uid("u")]),
        digest=st.sampled_from(["", "x", "y"]),
    )
    return st.lists(one, max_size=8, unique_by=lambda each: each.id)


@given(outlook=candidates(stamped=True), oro=candidates(stamped=False), by_key=st.booleans(), data=st.data())
def test_pairing_does_not_depend_on_the_order_and_each_record_is_in_one_pair_or_spare_or_alone(
    outlook: list[Candidate], oro: list[Candidate], by_key: bool, data: st.DataObject
) -> None:
    found = pair_records(outlook, oro, by_key=by_key)
    shuffled = pair_records(data.draw(st.permutations(outlook)), data.draw(st.permutations(oro)), by_key=by_key)
    assert found == shuffled
    ours, theirs = [each.outlook_id for each in found.pairs], [each.oro_id for each in found.pairs]
    assert len(ours) == len(set(ours))
    assert len(theirs) == len(set(theirs))
    assert set(ours) <= {each.id for each in outlook}
    assert set(theirs) <= {each.id for each in oro}
    assert not found.spare_outlook & set(ours)
    assert not found.spare_oro & set(theirs)
    if by_key:
        free = {each.match_key for each in outlook if each.id not in ours} - {None}
        assert not free & {each.match_key for each in oro if each.id not in theirs}


@given(outlook=candidates(stamped=True), oro=candidates(stamped=False), by_key=st.booleans())
def test_groups_that_share_no_tie_are_paired_by_themselves_as_they_are_together(
    outlook: list[Candidate], oro: list[Candidate], by_key: bool
) -> None:
    together = pair_records(outlook, oro, by_key=by_key)
    everybody = [*((Side.OUTLOOK, each) for each in outlook), *((Side.ORO, each) for each in oro)]
    tied = sorted((tie, number) for number, (side, each) in enumerate(everybody) for tie in ties(side, each))
    groups = Groups(len(everybody))
    for (tie, one), (same, two) in pairwise(tied):
        if tie == same:
            groups.join(one, two)
    members: dict[int, list[tuple[Side, Candidate]]] = {}
    for number, each in enumerate(everybody):
        members.setdefault(groups.of(number), []).append(each)
    one_by_one = [
        pair_records(
            [each for side, each in some if side is Side.OUTLOOK],
            [each for side, each in some if side is Side.ORO],
            by_key=by_key,
        )
        for some in members.values()
    ]
    assert {pair for each in one_by_one for pair in each.pairs} == set(together.pairs)
    assert frozenset().union(*(each.spare_outlook for each in one_by_one)) == together.spare_outlook
    assert frozenset().union(*(each.spare_oro for each in one_by_one)) == together.spare_oro


def test_those_who_have_nothing_in_common_are_of_different_groups() -> None:
    alike = [(Side.OUTLOOK, Candidate("o", "k")), (Side.ORO, Candidate("1", "k"))]
    others = [(Side.OUTLOOK, Candidate("p", "l", stamp="2")), (Side.ORO, Candidate("3", uid="u"))]
    one, two, three, four = (set(ties(*each)) for each in (*alike, *others))
    assert one & two
    assert not (one | two) & (three | four)
    assert not three & four
    assert not set(ties(Side.OUTLOOK, Candidate("2"))) & set(ties(Side.ORO, Candidate("2")))
