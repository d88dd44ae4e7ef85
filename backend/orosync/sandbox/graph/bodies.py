"""What Exchange makes of a body: wraps HTML, turns text into HTML and back, ends lines with CRLF.

Decides nothing else. The wrapper's exact words vary between Exchange versions; that there is one is the trap.
"""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from typing import Any

from orosync.sandbox.graph.wire import JSON, bad_request

_HEAD = '<html><head>\r\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8">'
_FROM_TEXT = (
    _HEAD + '\r\n<meta name="Generator" content="Microsoft Exchange Server">\r\n<!-- converted from text -->'
    '\r\n</head>\r\n<body>\r\n<font size="2"><span style="font-size:11pt;"><div class="PlainText">{}'
    "</div></span></font>\r\n</body>\r\n</html>\r\n"
)
_BLOCKS = frozenset(
    ["p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "blockquote"]
)


def crlf(text: str) -> str:
    """Line ends as Exchange stores them."""
    return re.sub(r"\r\n|\r|\n", "\r\n", text)


def wrap_html(content: str) -> str:
    """A fragment becomes a document; a document is left as it is."""
    if re.search(r"<html[\s>]", content, re.IGNORECASE):
        return content
    return f"{_HEAD}\r\n</head>\r\n<body>\r\n{content}\r\n</body>\r\n</html>\r\n"


def text_to_html(content: str) -> str:
    return _FROM_TEXT.format(html.escape(content, quote=False).replace("\r\n", "<br>\r\n"))


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: Any) -> None:  # noqa: ARG002 - html.parser's signature
        if tag in {"head", "style", "script"}:
            self._hidden += 1
        elif tag == "br":
            self.parts.append("\n")
        elif tag == "li":
            self.parts.append("\n* ")
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"head", "style", "script"}:
            self._hidden = max(0, self._hidden - 1)
        elif tag in _BLOCKS and tag not in {"br", "li"}:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(re.sub(r"\s+", " ", data))


def html_to_text(content: str) -> str:
    """What `outlook.body-content-type="text"` shows of an HTML body."""
    parser = _Text()
    parser.feed(content)
    parser.close()
    lines = [line.strip() for line in "".join(parser.parts).split("\n")]
    return crlf(re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip())


def stored_body(value: Any) -> JSON:
    """An itemBody as it is kept; raises GraphFault 400 for a wrong shape."""
    if value is None:
        return {"contentType": "text", "content": ""}
    if not isinstance(value, dict) or not isinstance(value.get("content", ""), (str, type(None))):
        raise bad_request("Cannot convert the value of 'body' to type 'microsoft.graph.itemBody'.", "RequestBodyRead")
    kind = str(value.get("contentType") or "text").lower()
    if kind not in {"text", "html"}:
        raise bad_request(f"Requested value '{kind}' was not found.", "RequestBodyRead")
    content = value.get("content") or ""
    if kind == "html":
        return {"contentType": "html", "content": wrap_html(content) if content else ""}
    return {"contentType": "text", "content": crlf(content)}


def event_body(stored: JSON | None, as_text: bool) -> JSON:
    """An event's body in the form a reply has it: HTML unless text was asked for (graph-api.md 3.1)."""
    if stored is None or not stored["content"]:
        return {"contentType": "text" if as_text else "html", "content": ""}
    if as_text == (stored["contentType"] == "text"):
        return stored
    convert = html_to_text if as_text else text_to_html
    return {"contentType": "text" if as_text else "html", "content": convert(stored["content"])}


def preview(stored: JSON | None) -> str:
    """bodyPreview: the first 255 characters as text."""
    if stored is None or not stored["content"]:
        return ""
    text = stored["content"] if stored["contentType"] == "text" else html_to_text(stored["content"])
    return str(text)[:255]
