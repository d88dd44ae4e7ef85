"""Text out of HTML and HTML out of text, so that text survives the way there and back.

Which side's field is HTML is the lenses' knowledge. Only text that was escaped here is ever sent as HTML: nothing of
what others wrote is passed on as markup.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache

from inscriptis import get_text
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.model.config import ParserConfig

from orosync.core.canonical import block

_TAG = re.compile(
    r"</?(?:p|br|div|span|b|i|u|s|strong|em|a|ul|ol|li|h[1-6]|table|thead|tbody|tr|td|th|font|html|body|head|title|meta"
    r"|img|blockquote|pre|hr|code|style|script|sub|sup|small)(?:\s[^<>]*)?/?>|<!--|<!doctype\s",
    re.IGNORECASE,
)
_HARD_BLANK = re.compile("&nbsp;|&#160;|&#xa0;|\xa0", re.IGNORECASE)
# No characters: one stands for a hard blank while inscriptis folds the soft ones, the other for an ampersand, because
# inscriptis resolves entities in what the parser has resolved before ("&amp;lt;" would become "<").
_BLANK, _AMPERSAND = "\ufdd0", "\ufdd1"
_ENTITY = re.compile("&(?:amp|#0*38|#x0*26)(?:;|(?![0-9a-z]))", re.IGNORECASE)
_SOFT_BLANK = re.compile(r"^ | (?= )")


@lru_cache(maxsize=1)
def _layout() -> ParserConfig:
    return ParserConfig(css=CSS_PROFILES["strict"])


def looks_like_html(text: str | None) -> bool:
    """Whether a field that may hold either kind holds HTML: it has a tag people use."""
    return bool(text) and "<" in str(text) and _TAG.search(str(text)) is not None


def text_of(markup: str | None) -> str | None:
    """The text (canonical) a reader of this HTML sees."""
    if not markup or "<" not in markup:
        return block(html.unescape(markup)) if markup else None
    marked = _ENTITY.sub(_AMPERSAND, _HARD_BLANK.sub(_BLANK, markup.replace("\0", "")))
    return block(get_text(marked, _layout()).replace(_BLANK, " ").replace(_AMPERSAND, "&"))


def either_text(content: str | None) -> str | None:
    """The text (canonical) of a field that holds plain text or HTML, nobody says which (OroCRM's descriptions)."""
    return text_of(content) if looks_like_html(content) else block(content)


def markup_of(text: str) -> str:
    """HTML that shows exactly this canonical text: text_of(markup_of(t)) == t."""
    lines = (_SOFT_BLANK.sub("&nbsp;", html.escape(each, quote=False)) for each in text.split("\n"))
    return f"<p>{'<br>'.join(lines)}</p>"
