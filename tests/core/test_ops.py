"""Ops as JSON and back, what they are about, and the hash of a plan."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.engine_world import alone, snapshot

from orosync.core.ops import WRITES, Decision, Op, Verb, hash_of, is_approved_by_hash, plan_hash, said_by
from orosync.core.records import Entity, Side

OPS = st.builds(
    Op,
    verb=st.sampled_from(Verb),
    entity=st.sampled_from(Entity),
    side=st.sampled_from(Side),
    rule=st.text(max_size=5),
    reason=st.text(max_size=5),
    outlook_id=st.one_of(st.none(), st.text(max_size=3)),
    oro_id=st.one_of(st.none(), st.text(max_size=3)),
    link_id=st.one_of(st.none(), st.integers(1, 9)),
    values=st.dictionaries(
        st.sampled_from(["emails", "fax"]), st.one_of(st.none(), st.text(max_size=3), st.lists(st.text(max_size=3)))
    ),
    before=st.dictionaries(st.sampled_from(["fax"]), st.text(max_size=3)),
    settles=st.lists(st.sampled_from(["emails", "fax"])).map(tuple),
    mails=st.integers(0, 3),
    overwrites=st.booleans(),
    title=st.text(max_size=3),
)


@given(op=OPS)
def test_an_op_survives_being_written_down(op: Op) -> None:
    assert Op.from_json(json.loads(json.dumps(op.to_json()))) == op


@given(op=OPS)
def test_what_else_was_written_down_with_an_op_is_no_part_of_it(op: Op) -> None:
    assert Op.from_json({**op.to_json(), "uid": "u"}) == op


@pytest.mark.parametrize(("side", "target", "source"), [(Side.OUTLOOK, "o", "7"), (Side.ORO, "7", "o")])
def test_an_op_knows_its_target_and_its_source(side: Side, target: str, source: str) -> None:
    op = Op(Verb.UPDATE, Entity.TASK, side, "", "", outlook_id="o", oro_id="7")
    assert (op.target_id, op.source_id) == (target, source)


def test_a_decision_names_what_is_sent() -> None:
    ops = tuple(Op(verb, Entity.TASK, Side.ORO, "", "") for verb in Verb)
    decision = Decision(alone(snapshot(Side.ORO, Entity.TASK)), ops)
    assert {op.verb for op in decision.written} == WRITES == {Verb.CREATE, Verb.UPDATE, Verb.DELETE, Verb.STAMP}


@given(ops=st.lists(OPS, max_size=6), data=st.data())
def test_the_hash_of_a_plan_does_not_depend_on_its_order(ops: list[Op], data: st.DataObject) -> None:
    assert plan_hash(data.draw(st.permutations(ops))) == plan_hash(ops)


UPDATE = Op(Verb.UPDATE, Entity.TASK, Side.ORO, "rule", "reason", oro_id="7", values={"subject": "a"})


@pytest.mark.parametrize(
    "other",
    [
        replace(UPDATE, verb=Verb.DELETE),
        replace(UPDATE, entity=Entity.EVENT),
        replace(UPDATE, side=Side.OUTLOOK),
        replace(UPDATE, oro_id="8"),
        replace(UPDATE, outlook_id="o"),
        replace(UPDATE, values={"subject": "b"}),
        replace(UPDATE, values={}),
    ],
)
def test_the_hash_of_a_plan_changes_with_whatever_would_be_written(other: Op) -> None:
    assert plan_hash([UPDATE]) != plan_hash([other])
    assert plan_hash([UPDATE]) != plan_hash([UPDATE, other])


@pytest.mark.parametrize(
    "op",
    [
        replace(UPDATE, verb=Verb.STAMP),
        replace(UPDATE, verb=Verb.LEAVE),
        replace(UPDATE, verb=Verb.SETTLE),
        replace(UPDATE, verb=Verb.LINK),
    ],
)
def test_stamps_and_our_own_steps_are_not_part_of_the_hash(op: Op) -> None:
    assert plan_hash([UPDATE, op]) == plan_hash([UPDATE])


def test_the_words_of_a_rule_do_not_void_an_approval() -> None:
    assert plan_hash([replace(UPDATE, reason="other", rule="other", title="x", mails=1)]) == plan_hash([UPDATE])
    assert len(plan_hash([UPDATE])) == 16


def test_the_hash_of_a_plan_is_made_of_a_short_word_for_each_op() -> None:
    other = replace(UPDATE, oro_id="8")
    assert hash_of([said_by(other), said_by(UPDATE)]) == plan_hash([UPDATE, other])
    assert {len(said_by(UPDATE)), len(said_by(other))} == {32}
    assert is_approved_by_hash(UPDATE)
    assert not is_approved_by_hash(replace(UPDATE, verb=Verb.STAMP))
    assert said_by(replace(UPDATE, values={"subject": "half of a character: \ud800"})) != said_by(UPDATE)
