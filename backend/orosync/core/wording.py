"""What the rules of a merge are called when they are told to a person."""

from __future__ import annotations

from collections.abc import Mapping

_RULES = {
    "changed_in_oro": "changed in OroCRM",
    "changed_in_outlook": "changed in Outlook",
    "oro_is_master": "changed in OroCRM, whose values count in this direction",
    "outlook_is_master": "Outlook's values count in this direction",
    "oro_record_changed": "OroCRM's record changed, and its values count in this direction",
    "reconciled": "made equal by the resync",
    "filled": "empty until now",
    "first_values": "different when the two were linked, so the leading side's value is taken",
    "oro_wins": "changed on both sides, OroCRM's value wins",
    "outlook_wins": "changed on both sides, Outlook's value wins",
    "newest": "changed on both sides, the newer value wins",
    "chosen": "changed on both sides, and a person chose",
    "members_merged": "changed on both sides and merged entry by entry",
    "lines_merged": "changed on both sides and merged line by line",
}


def reason_of(rules: Mapping[str, str]) -> str:
    """rules: unit -> rule. "emails, job title: changed in OroCRM; fax: empty until now"."""
    units: dict[str, list[str]] = {}
    for unit, rule in sorted(rules.items()):
        units.setdefault(rule, []).append(unit.replace("_", " "))
    return "; ".join(f"{', '.join(names)}: {_RULES[rule]}" for rule, names in units.items())
