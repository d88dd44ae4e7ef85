"""Who may do what: permission levels per entity and action, as roles give them.

A level is `none`, `own` or `system`. Roles are the ones of the recordings; what an answer looks like when
something is not permitted is left to the callers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

NONE, OWN, SYSTEM = "none", "own", "system"
LEVELS = (NONE, OWN, SYSTEM)
ACTIONS = ("view", "create", "edit", "delete")
CRM = ("account", "lead", "opportunity", "case", "note", "call")
ENTITIES = (
    *("contact", "task", "event", *CRM),
    *("user", "organization", "role", "audit", "async_operation", "workflow", "webhook"),
)

Permissions = dict[str, dict[str, str]]


def _all(level: str) -> dict[str, str]:
    return dict.fromkeys(ACTIONS, level)


_SALES = {name: _all(SYSTEM) for name in ("contact", "task", "event", *CRM)} | {"user": {"view": SYSTEM}}

ROLES: dict[str, Mapping[str, Mapping[str, str]]] = {
    "administrator": {name: _all(SYSTEM) for name in ENTITIES},
    "sales_rep": _SALES,
    "sales_manager": _SALES | {"async_operation": {"view": SYSTEM, "create": SYSTEM}},
    "own_records": {"contact": _all(OWN), "task": _all(OWN), "account": _all(OWN), "event": _all(SYSTEM)},
    "none": {},
}


def permissions_of(roles: str | Iterable[str]) -> Permissions:
    """What the roles give together: per entity and action the highest level. ValueError: no such role."""
    result: Permissions = {entity: _all(NONE) for entity in ENTITIES}
    for role in [roles] if isinstance(roles, str) else roles:
        if role not in ROLES:
            raise ValueError(f"role {role!r} is not known: one of {', '.join(ROLES)}")
        for entity, actions in ROLES[role].items():
            for action, level in actions.items():
                result[entity][action] = max(result[entity][action], level, key=LEVELS.index)
    return result


def change(permissions: Permissions, entity: str, action: str, level: str) -> None:
    """Sets one level; `action` `*` means all four. ValueError: unknown entity, action or level."""
    if entity not in permissions:
        raise ValueError(f"entity {entity!r} is not known: one of {', '.join(ENTITIES)}")
    if level not in LEVELS:
        raise ValueError(f"level {level!r} is not known: one of {', '.join(LEVELS)}")
    if action not in (*ACTIONS, "*"):
        raise ValueError(f"action {action!r} is not known: one of {', '.join(ACTIONS)}, *")
    for each in ACTIONS if action == "*" else (action,):
        permissions[entity][each] = level


def permissions_from(given: Mapping[str, str | Mapping[str, str]]) -> Permissions:
    """From `{"contact": "own", "task": {"view": "system"}}`; what is not named is none."""
    result = permissions_of("none")
    for entity, wanted in given.items():
        if isinstance(wanted, str):
            change(result, entity, "*", wanted)
            continue
        for action, level in wanted.items():
            change(result, entity, action, level)
    return result
