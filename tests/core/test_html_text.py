"""Text out of HTML, and HTML out of text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.lens_world import BLOCKS

from orosync.core.canonical import block
from orosync.core.mapping import html_text


@given(BLOCKS)
def test_text_survives_the_way_into_html_and_back(text: str | None) -> None:
    canonical = block(text)
    if canonical is not None:
        markup = html_text.markup_of(canonical)
        assert html_text.text_of(markup) == canonical
        assert html_text.either_text(markup) == canonical


@given(st.text())
def test_any_text_survives_the_way_into_html_and_back(text: str) -> None:
    canonical = block(text)
    assert canonical is None or html_text.text_of(html_text.markup_of(canonical)) == canonical


@given(st.text("<>/pbrdiv &;ltgn#x!-\0\"'=\n", max_size=60))
def test_no_markup_is_too_broken_to_read(markup: str) -> None:
    text = html_text.text_of(markup)
    assert block(text) == text
    assert html_text.either_text(markup) == block(html_text.either_text(markup))


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>Met at <b>conference</b></p>\nSecond line", "Met at conference\n\nSecond line"),
        ("<p>Hello <b>x</b> &amp; y</p><p>Second</p>", "Hello x & y\n\nSecond"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<div>a</div><div>b</div>", "a\nb"),
        ("<p>now</p><p>ab</p>", "now\n\nab"),
        ("<ul><li>one</li><li>two</li></ul>", "* one\n  * two"),
        ("<script>alert(1)</script><style>p{}</style>x<!-- c -->", "x"),
        ("<html><head><title>T</title></head><body>\r\nx\r\n</body></html>", "x"),
        ("a&nbsp;&nbsp;b<br>&nbsp;c", "a  b\n c"),
        ("<p>&amp;lt; and &#38;gt; and &copy;</p>", "&lt; and &gt; and ©"),
        ("plain &amp; text\nsecond &lt; line", "plain & text\nsecond < line"),
        ("<p>&nbsp;</p>", None),
        ("<!-- nothing -->", None),
        ("", None),
        (None, None),
    ],
)
def test_what_a_reader_sees(markup: str | None, text: str | None) -> None:
    assert html_text.text_of(markup) == text


@pytest.mark.parametrize(
    ("content", "is_html"),
    [
        ("plain & text\nsecond < line", False),
        ("if a <bed and c> d", False),
        ("mail me <ada@example.com>", False),
        ("a <3 b", False),
        ("<P CLASS='x'>y</P>", True),
        ("a<br/>b", True),
        ("</div>", True),
        ("<!DOCTYPE html>", True),
        (None, False),
    ],
)
def test_html_is_known_by_its_tags(content: str | None, *, is_html: bool) -> None:
    assert html_text.looks_like_html(content) is is_html


def test_a_plain_description_keeps_its_lines() -> None:
    assert html_text.either_text("one &amp;\ntwo") == "one &amp;\ntwo"
