"""The add-in's manifest for one installation: `manifest.xml` of the repository with another address, name and version.

Text in, text out. Where the file is and who asks for it is left to others. Rules of the format: Microsoft's manifest
reference and the schemas of MS-OWEMXML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit
from xml.dom import minidom

from orosync.errors import BadInput

MEDIA_TYPE = "application/xml"
LONGEST_NAME = 125  # of a short string, MS-OWEMXML
LONGEST_URL = 1900  # 2048 for the addresses in the manifest, which go on after this one

_ADDRESSES = ("DefaultValue", "Value")
_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*|[0-9a-f:]*:[0-9a-f:.]*")
_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*/?")
_EXAMPLE = "Write it as in https://sync.example.com."


def render(template: str, base_url: str, *, version: str, name: str = "", field: str = "base_url") -> str:
    """The manifest for an installation at base_url.

    version: the package's, see `manifest_version`. name: what people see in Outlook; empty for the product's own.
    field: what to call base_url in BadInput, which is raised if Outlook would not load an add-in from there, or would
    not take the name.
    """
    base_url = checked_base_url(base_url, field)
    # the template is our own file
    document = minidom.parseString(template)  # noqa: S318  # nosec B318
    development = _text_of(_one(document, "AppDomain"))
    for comment in [node for node in document.childNodes if node.nodeType == node.COMMENT_NODE]:
        document.removeChild(comment)  # it speaks of development
    for element in _elements(document):
        for attribute in _ADDRESSES:
            value = element.getAttribute(attribute)
            if value.startswith(f"{development}/"):
                element.setAttribute(attribute, base_url + value.removeprefix(development))
    _set_text(_one(document, "AppDomain"), _origin_of(base_url))
    _set_text(_one(document, "Version"), manifest_version(version))
    if name:
        _rename(document, _checked_name(name))
    body = document.documentElement.toxml() if document.documentElement else ""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def manifest_version(version: str) -> str:
    """The manifest's version for one of the package: "1." and its numbers, "0.4.2" -> "1.0.4.2".

    The store refuses versions under 1.0, clients need it to rise with the package's, and four parts are the most.
    """
    numbers = [*re.findall(r"\d+", version.partition("+")[0])[:3], "0", "0", "0"][:3]
    return ".".join(["1", *numbers])


def checked_base_url(base_url: str, field: str = "base_url") -> str:
    """The address without a slash at its end and in lower case up to its path. Raises BadInput that names `field`."""
    problem = remedy = ""
    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise BadInput(f"{field}: this is not an address.", field=field, remedy=_EXAMPLE) from None
    if not base_url.isascii():
        problem, remedy = "the address has letters beyond ASCII.", "Write its host in the form that begins with xn--."
    elif not base_url.isprintable() or re.search(r"[\s\\<>\"'`{}|^]", base_url):
        problem, remedy = "the address has spaces or signs that no address has.", _EXAMPLE
    elif parts.scheme != "https":
        problem, remedy = "Outlook loads add-ins over https alone.", _EXAMPLE
    elif "@" in parts.netloc:
        problem, remedy = "the address holds a user name or password.", "Leave it out."
    elif not _HOST.fullmatch(host):
        problem, remedy = "the address names no host.", _EXAMPLE
    elif "?" in base_url or "#" in base_url:
        problem, remedy = "the address goes on after its path.", "Leave out everything from ? or # on."
    elif not _PATH.fullmatch(parts.path) or {".", ".."} & set(parts.path.split("/")):
        problem, remedy = "the path of the address has signs that no manifest should have.", _EXAMPLE
    elif len(base_url) > LONGEST_URL:
        problem, remedy = f"the address has more than {LONGEST_URL} characters.", "Use a shorter path."
    if problem:
        raise BadInput(f"{field}: {problem}", field=field, remedy=remedy)
    host = f"[{host}]" if ":" in host else host
    return f"https://{host}{'' if port in {None, 443} else f':{port}'}{parts.path.rstrip('/')}"


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name.isprintable() or not 0 < len(name) <= LONGEST_NAME:
        raise BadInput(
            "name: this cannot be the name of an add-in.",
            field="name",
            remedy=f"Use 1 to {LONGEST_NAME} printable characters.",
        )
    return name


def _rename(document: minidom.Document, name: str) -> None:
    """In every language: a company's name for it is the same in all."""
    labels = [each for each in _elements(document) if each.getAttribute("id") == "Group.Label"]
    for named in (_one(document, "DisplayName"), *labels):
        named.setAttribute("DefaultValue", name)
        for override in _elements(named):
            override.setAttribute("Value", name)


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _one(document: minidom.Document, tag: str) -> minidom.Element:
    (found,) = document.getElementsByTagName(tag)
    return found


def _elements(node: minidom.Document | minidom.Element) -> Iterator[minidom.Element]:
    yield from node.getElementsByTagName("*")


def _text_of(element: minidom.Element) -> str:
    return "".join(node.data for node in element.childNodes if isinstance(node, minidom.Text))


def _set_text(element: minidom.Element, text: str) -> None:
    (node,) = element.childNodes
    assert isinstance(node, minidom.Text)  # noqa: S101 - our own file
    node.data = text
