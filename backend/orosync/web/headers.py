"""Headers of every answer: what a browser may do with our pages, and who may frame them.

No X-Frame-Options: it cannot name Outlook's hosts and blanks the pane (outlook-addin.md 4).
"""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, request

# office.js, and the MicrosoftAjax.js it waits for inside a host
OFFICE_SCRIPTS = ("https://appsforoffice.microsoft.com", "https://ajax.aspnetcdn.com")

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_HSTS = "max-age=31536000; includeSubDomains"


def pane_policy(frame_ancestors: tuple[str, ...], authority: str, *, demo: bool) -> str:
    """Content-Security-Policy of the pane. authority: where MSAL's own client signs in, when there is no host to."""
    parents = ("'self'", *frame_ancestors) if demo else frame_ancestors
    origin = "/".join(authority.split("/")[:3])
    return _policy(
        {
            "default-src": ("'none'",),
            "script-src": ("'self'", *OFFICE_SCRIPTS),
            "style-src": ("'self'",),
            "img-src": ("'self'", "data:"),
            "font-src": ("'self'",),
            "connect-src": ("'self'", origin),
            "frame-src": (origin,),
            "base-uri": ("'none'",),
            "form-action": ("'none'",),
            "frame-ancestors": parents or ("'none'",),
        }
    )


def page_policy(*, framing: bool = False) -> str:
    """Of our own pages around the pane, which nobody frames; framing: they may frame the pane."""
    return _policy(
        {
            "default-src": ("'none'",),
            "script-src": ("'self'", *OFFICE_SCRIPTS),
            "style-src": ("'self'",),
            "img-src": ("'self'", "data:"),
            "font-src": ("'self'",),
            "connect-src": ("'self'",),
            "frame-src": ("'self'",) if framing else ("'none'",),
            "base-uri": ("'none'",),
            "form-action": ("'none'",),
            "frame-ancestors": ("'none'",),
        }
    )


DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"


def _policy(directives: dict[str, tuple[str, ...]]) -> str:
    return "; ".join(f"{name} {' '.join(values)}" for name, values in directives.items())


def add_to_every_answer(app: Flask, *, pane: str) -> None:
    """pane: the policy of what lies under /addin/."""

    @app.after_request
    def add(response: Response) -> Response:
        policy = DATA_POLICY
        if response.mimetype == "text/html":
            policy = pane if request.path.startswith("/addin/") else page_policy(framing=request.path == "/demo")
        if request.path.startswith("/addin/assets/"):  # Outlook shows the manifest's icons on its own pages
            _put(response, {"Cross-Origin-Resource-Policy": "cross-origin"})
        _put(response, {"Content-Security-Policy": policy, **_ALWAYS})
        if request.is_secure:
            _put(response, {"Strict-Transport-Security": _HSTS})
        if request.path.startswith(("/api/", "/auth/")):
            _put(response, {"Cache-Control": "no-store"})
        elif response.mimetype == "text/html":
            _put(response, {"Cache-Control": "no-cache"})
        return response


def _put(response: Any, headers: dict[str, str]) -> None:
    for name, value in headers.items():
        response.headers.setdefault(name, value)
