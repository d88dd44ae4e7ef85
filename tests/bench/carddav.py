"""A CardDAV server in memory, for vdirsyncer: what `sync-engine.md` section 7 calls the stub.

Every folder one asks for is an address book (RFC 6352) with ETag, If-Match, If-None-Match and addressbook-multiget. No
disk, no log, no work that grows with the folder but listing it.
"""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from tests.bench.records import vcard

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_OPEN = '<?xml version="1.0"?><multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav">'
_FOLDER = "<resourcetype><collection/><C:addressbook/></resourcetype>"
_XML = "application/xml; charset=utf-8"


class CardDav:
    """A WSGI program. books: folder -> href -> (ETag, vCard)."""

    def __init__(self) -> None:
        self.books: defaultdict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
        self._versions = itertools.count(1)

    # by hand

    def put(self, folder: str, number: int, changed: int = 0) -> None:
        """As if a person had written it."""
        self.books[folder][f"{folder}bench-{number}.vcf"] = (self._etag(), vcard(number, changed))

    def _etag(self) -> str:
        return f'"{next(self._versions)}"'

    # over HTTP

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = str(environ["PATH_INFO"])
        length = str(environ.get("CONTENT_LENGTH") or "0")
        body = environ["wsgi.input"].read(int(length)) if length.isdigit() else b""
        status, headers, answer = self._answer(str(environ["REQUEST_METHOD"]), path, body, environ)
        start_response(status, [*headers, ("Content-Length", str(len(answer)))])
        return [answer]

    def _answer(
        self, method: str, path: str, body: bytes, environ: WSGIEnvironment
    ) -> tuple[str, list[tuple[str, str]], bytes]:
        folder = path[: path.rindex("/") + 1]
        book = self.books[folder]
        if method == "PROPFIND":
            return _multistatus(self._listing(folder, str(environ.get("HTTP_DEPTH", "0"))))
        if method == "REPORT":
            hrefs = [str(each.text).strip() for each in ET.fromstring(body).iter("{DAV:}href")]  # noqa: S314
            return _multistatus(_with_card(href, *book[href]) for href in hrefs if href in book)
        if method in {"PUT", "DELETE"}:
            return self._write(method, book, path, body, environ)
        return "405 Method Not Allowed", [], b""

    def _listing(self, folder: str, depth: str) -> Iterable[str]:
        yield _response(folder, _FOLDER)
        if depth != "0":
            for href, (etag, _) in self.books[folder].items():
                yield _response(href, f"<resourcetype/><getcontenttype>text/vcard</getcontenttype>{_tag(etag)}")

    def _write(
        self, method: str, book: dict[str, tuple[str, str]], path: str, body: bytes, environ: WSGIEnvironment
    ) -> tuple[str, list[tuple[str, str]], bytes]:
        etag = book[path][0] if path in book else None
        wanted = environ.get("HTTP_IF_MATCH")
        if (wanted is not None and wanted != etag) or (environ.get("HTTP_IF_NONE_MATCH") == "*" and etag is not None):
            return "412 Precondition Failed", [], b""
        if method == "DELETE":
            found = book.pop(path, None)
            return ("204 No Content" if found else "404 Not Found"), [], b""
        new = self._etag()
        book[path] = (new, body.decode())
        return ("201 Created" if etag is None else "204 No Content"), [("ETag", new)], b""


def _tag(etag: str) -> str:
    return f"<getetag>{escape(etag)}</getetag>"


def _with_card(href: str, etag: str, card: str) -> str:
    return _response(href, f"{_tag(etag)}<C:address-data>{escape(card)}</C:address-data>")


def _response(href: str, properties: str) -> str:
    return (
        f"<response><href>{escape(href)}</href><propstat><prop>{properties}</prop>"
        "<status>HTTP/1.1 200 OK</status></propstat></response>"
    )


def _multistatus(responses: Iterable[str]) -> tuple[str, list[tuple[str, str]], bytes]:
    answer = f"{_OPEN}{''.join(responses)}</multistatus>"
    return "207 Multi-Status", [("Content-Type", _XML)], answer.encode()
