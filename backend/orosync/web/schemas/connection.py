"""The connection of a mailbox with an OroCRM user. Secrets go in and never come out."""

from __future__ import annotations

import marshmallow as ma

AUTHS = ("wsse", "client-credentials", "password", "authorization-code")
_FINGERPRINT = ma.validate.Regexp(r"[0-9a-f]{64}\Z", error="This is no SHA-256 fingerprint: 64 hex digits.")


class ConnectionBody(ma.Schema):
    orocrm_url = ma.fields.String(required=True, validate=ma.validate.Length(1, 500))
    orocrm_auth = ma.fields.String(load_default="wsse", validate=ma.validate.OneOf(AUTHS))
    orocrm_user = ma.fields.String(
        load_default="",
        validate=ma.validate.Length(0, 255),
        metadata={"description": "User name; of client-credentials the client id."},
    )
    secret = ma.fields.String(
        load_default="",
        validate=ma.validate.Length(0, 4096),
        metadata={"description": "API key, client secret or password."},
    )
    client_id = ma.fields.String(load_default="", validate=ma.validate.Length(0, 255))
    client_secret = ma.fields.String(load_default="", validate=ma.validate.Length(0, 4096))
    code = ma.fields.String(
        load_default="",
        validate=ma.validate.Length(0, 4096),
        metadata={"description": "One-time code of OroCRM's sign-in window."},
    )
    certificate = ma.fields.String(
        load_default=None,
        allow_none=True,
        validate=_FINGERPRINT,
        metadata={"description": "Trust exactly this certificate."},
    )

    @ma.validates_schema
    def complete(self, data: dict[str, str], **_more: object) -> None:
        if data.get("orocrm_auth") == "authorization-code":
            return
        if not data.get("orocrm_user"):
            raise ma.ValidationError("Give the user name (of client-credentials the client id).", "orocrm_user")
        if data.get("orocrm_auth") == "password" and not data.get("client_id"):
            raise ma.ValidationError("Signing in with a password needs an OAuth application's id.", "client_id")


class CheckBody(ConnectionBody):
    """The same, or nothing at all for the connection that is stored."""

    orocrm_url = ma.fields.String(load_default="", validate=ma.validate.Length(0, 500))

    @ma.validates_schema
    def complete(self, data: dict[str, str], **more: object) -> None:
        if data.get("orocrm_url"):
            super().complete(data, **more)


class FindingSchema(ma.Schema):
    side = ma.fields.String()
    ok = ma.fields.Boolean()
    what = ma.fields.String()
    message = ma.fields.String()
    remedy = ma.fields.String()
    fingerprint = ma.fields.String()


class CheckResult(ma.Schema):
    ok = ma.fields.Boolean()
    findings = ma.fields.List(ma.fields.Nested(FindingSchema))


class ConnectionSchema(ma.Schema):
    orocrm_url = ma.fields.String()
    orocrm_auth = ma.fields.String()
    orocrm_user = ma.fields.String()
    mailbox = ma.fields.String()
    state = ma.fields.String()
    state_reason = ma.fields.String()
    state_since = ma.fields.String(allow_none=True)
    certificate = ma.fields.String(allow_none=True)


class OptionsSchema(ma.Schema):
    hosts = ma.fields.List(ma.fields.String())
    self_signed_allowed = ma.fields.Boolean()
    suggested_url = ma.fields.String(allow_none=True)
    authorization_code = ma.fields.Boolean()
