"""Every blueprint there is."""

from __future__ import annotations

from typing import Any

from orosync.web.parts import Parts


def api_blueprints() -> list[Any]:
    """Of `/api/v1`."""
    from orosync.web.routes import (
        admin_accounts,
        beside_mail,
        connection,
        hooks,
        look,
        oro_hooks,
        oro_sign_in,
        runs,
        settings,
        status,
        troubles,
    )

    return [
        status.blueprint,
        connection.blueprint,
        oro_sign_in.blueprint,
        settings.blueprint,
        runs.blueprint,
        troubles.blueprint,
        beside_mail.blueprint,
        look.blueprint,
        admin_accounts.blueprint,
        hooks.blueprint,
        oro_hooks.blueprint,
    ]


def plain_blueprints(parts: Parts) -> list[Any]:
    """Pages, the manifest, health, and signing in."""
    from orosync.web.routes import (
        api_docs,
        demo,
        health,
        landing,
        look,
        manifest,
        metrics,
        oro_sign_in,
        pane,
        sign_in,
    )

    return [
        *([demo.blueprint] if parts.demo else []),
        pane.blueprint,
        landing.blueprint,
        manifest.blueprint,
        health.blueprint,
        metrics.blueprint,
        look.style_blueprint,
        api_docs.blueprint,
        oro_sign_in.pages_blueprint,
        sign_in.sign_in_blueprint(parts),
    ]
