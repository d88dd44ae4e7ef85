"""What is read of another system's answer, and what is refused before anything looks into it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orosync.core.answers import DEEPEST, read_answer

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=20,
)


@given(JSON)
def test_every_json_of_sane_depth_is_read_as_it_is(value: Any) -> None:
    assert read_answer(json.dumps(value)) == value
    assert read_answer(json.dumps(value).encode()) == value


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


def test_as_many_levels_as_are_allowed_and_not_one_more() -> None:
    assert read_answer(nested(DEEPEST)) is not None
    with pytest.raises(ValueError, match="too deeply"):
        read_answer(nested(DEEPEST + 1))


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", b"\xff\xfe", b"{", b'{"a": NaN}', b"Infinity", b"[-Infinity]", b"9" * 5000, b"[" * 100_000],
    ids=["nothing", "a page", "no text", "cut", "NaN", "Infinity", "-Infinity", "a number without end", "endless"],
)
def test_what_is_no_json_is_refused_without_a_word_of_it(content: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # of json's own, or ours
        read_answer(content)


def test_an_object_may_be_deep_as_well() -> None:
    text = '{"a":' * DEEPEST + "1" + "}" * DEEPEST
    assert read_answer(text)
    with pytest.raises(ValueError, match="too deeply"):
        read_answer('{"a":' + text + "}")


def test_an_answer_may_be_as_wide_as_it_likes() -> None:
    """More brackets than levels: it is looked at level by level."""
    rows = [{"id": str(number), "tags": []} for number in range(DEEPEST)]
    assert read_answer(json.dumps({"data": rows})) == {"data": rows}
