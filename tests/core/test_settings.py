"""Settings: which values are accepted where, what is in force, and which changes move many records."""

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orosync.core import settings as subject
from orosync.core.fields import CATALOGUE, Direction
from orosync.core.records import Entity
from orosync.core.settings import (
    KEYS,
    ConflictRule,
    EventWindow,
    GuardLimits,
    Level,
    OroScope,
    Settings,
    SyncDirection,
    SyncType,
    as_json,
    effective,
    fingerprint,
    parse,
    validate,
)
from orosync.errors import SettingError

SYSTEM, ORGANISATION, USER = Level.SYSTEM, Level.ORGANISATION, Level.USER
ADMIN = {SYSTEM, ORGANISATION}
ANY = {*ADMIN, USER}

# design.md 4.3, read again independently of the catalogue
DOCUMENTED: dict[str, tuple[set[Level], Any]] = {
    "sync_direction": (ADMIN, "bidirectional"),
    "conflict_resolution": (ADMIN, "oro_wins"),
    "crm_sync_interval": (ADMIN, 120),
    "outlook_sync_interval": (ADMIN, 30),
    "crm_sweep_interval": (ADMIN, 3600),
    "sync_contacts": (ANY, True),
    "sync_tasks": (ANY, True),
    "sync_events": (ANY, True),
    "match_keys.contact": (ADMIN, ["first_name", "last_name", "gender", "birthday"]),
    "match_keys.task": (ADMIN, ["subject", "priority"]),
    "match_keys.event": (ADMIN, ["title", "start", "end", "all_day"]),
    "match_before_create": (ADMIN, False),
    "on_delete_in_outlook": (ADMIN, "restore"),
    "on_delete_in_oro": (ADMIN, "propagate"),
    "resync_mode": (ADMIN, "relink"),
    "guard.deletes_at_least": (ADMIN, 10),
    "guard.deletes_percent": (ADMIN, 5),
    "guard.overwrites_percent": (ADMIN, 30),
    "guard.creates": (ADMIN, 200),
    "guard.mails_first_sync": (ADMIN, 0),
    "guard.mails": (ADMIN, 20),
    "event_window": (ADMIN, [30, 365]),
    "private_items": (ADMIN, "skip"),
    "oro_scope": ({ORGANISATION, USER}, "available"),
    "contacts_folder": ({USER}, "default"),
    "tasks_list": ({USER}, "default"),
    "calendar": ({USER}, "default"),
    "addin_look": (ADMIN, {}),
    "enable_sync": ({USER}, True),
    "show_alerts": ({USER}, True),
    "sync_type": ({USER}, "all"),
    "sync_birthdays": ({USER}, True),
    # not in the table of the design
    "meeting_updates": (ADMIN, "never"),
    "selected_category": ({USER}, "OroCRM"),
}


@pytest.mark.parametrize("key", DOCUMENTED)
def test_each_documented_setting_has_its_levels_and_default(key: str) -> None:
    levels, default = DOCUMENTED[key]
    assert set(KEYS[key].levels) == levels
    assert KEYS[key].default == default


def test_every_field_of_every_entity_has_a_direction_and_there_are_no_other_settings() -> None:
    directions = {f"field_direction.{e}.{f.name}": f.default.value for e in Entity for f in CATALOGUE[e]}
    assert {key: KEYS[key].default for key in directions} == directions
    assert set(KEYS) == set(DOCUMENTED) | set(directions)


@pytest.mark.parametrize("key", KEYS)
def test_every_setting_explains_itself_and_accepts_its_own_default(key: str) -> None:
    entry = KEYS[key]
    assert entry.description
    assert "\n" not in entry.description
    assert entry.allowed
    assert validate(key, entry.default, entry.levels[0]) == entry.default
    assert json.loads(json.dumps(entry.default)) == entry.default


@pytest.mark.parametrize(
    ("key", "value", "normal"),
    [
        ("sync_direction", SyncDirection.ORO_TO_OUTLOOK, "oro_to_outlook"),
        ("crm_sync_interval", 1, 1),
        ("crm_sync_interval", 86_399, 86_399),
        ("crm_sweep_interval", 60, 60),
        ("guard.deletes_percent", 0, 0),
        ("guard.deletes_percent", 100, 100),
        ("match_keys.contact", ("emails",), ["emails"]),
        ("event_window", (0, 900), [0, 900]),
        ("contacts_folder", "  Customers ", "Customers"),
        ("contacts_folder", "Default", "default"),
        ("selected_category", "Default", "Default"),
        ("addin_look", {"name": "CRM", "sections": ["contact"]}, {"name": "CRM", "sections": ["contact"]}),
    ],
)
def test_a_good_value_is_returned_in_its_normal_form(key: str, value: object, normal: object) -> None:
    result = validate(key, value, KEYS[key].levels[0])
    assert result == normal
    assert type(result) is type(normal)


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("sync_direction", "both", "bidirectional, oro_to_outlook, outlook_to_oro"),
        ("sync_direction", 1, "bidirectional"),
        ("conflict_resolution", None, "oro_wins, outlook_wins, newest, ask"),
        ("crm_sync_interval", 0, "from 1 to 86399 (seconds)"),
        ("crm_sync_interval", 86_400, "from 1 to 86399 (seconds)"),
        ("crm_sync_interval", True, "a whole number"),
        ("crm_sync_interval", 1.5, "a whole number"),
        ("crm_sync_interval", "60", "a whole number"),
        ("crm_sweep_interval", 59, "from 60 to 86399"),
        ("guard.deletes_percent", 101, "from 0 to 100"),
        ("guard.mails", -1, "from 0"),
        ("sync_contacts", "yes", "yes or no"),
        ("sync_contacts", 1, "yes or no"),
        ("match_keys.contact", [], "a list"),
        ("match_keys.contact", "emails", "a list"),
        ("match_keys.contact", ["subject"], "first_name"),
        ("match_keys.contact", ["emails", "emails"], "a list"),
        ("match_keys.contact", [["emails"]], "a list"),
        ("event_window", [30], "back and ahead"),
        ("event_window", 30, "back and ahead"),
        ("event_window", [30, -1], "from 0 to 900"),
        ("event_window", [30, 901], "from 0 to 900"),
        ("field_direction.contact.fax", "oro", "both, to_outlook, to_oro, off"),
        ("contacts_folder", "   ", "default, or a name of 1 to 255 characters"),
        ("contacts_folder", "x" * 256, "1 to 255"),
        ("contacts_folder", "two\nlines", "1 to 255"),
        ("contacts_folder", 7, "1 to 255"),
        ("selected_category", "", "a name of 1 to 255 characters"),
        ("addin_look", "CRM", "a JSON object"),
        ("addin_look", {"name": {1, 2}}, "a JSON object"),
        ("addin_look", {"name": float("nan")}, "a JSON object"),
        ("addin_look", {"text": "x" * 400_000}, "at most 400000 characters"),
    ],
)
def test_a_bad_value_is_refused_naming_the_key_and_what_is_allowed(key: str, value: object, allowed: str) -> None:
    with pytest.raises(SettingError) as caught:
        validate(key, value, KEYS[key].levels[0])
    assert caught.value.field == key
    assert caught.value.message.startswith(f"{key} cannot be ")
    assert allowed in caught.value.remedy
    assert len(caught.value.message) < 150


@pytest.mark.parametrize(
    ("key", "level", "instead"),
    [
        ("sync_direction", USER, "system or organisation"),
        ("oro_scope", SYSTEM, "organisation or user"),
        ("contacts_folder", ORGANISATION, "the user"),
    ],
)
def test_a_setting_is_refused_on_a_level_that_is_not_its_own(key: str, level: Level, instead: str) -> None:
    with pytest.raises(SettingError) as caught:
        validate(key, KEYS[key].default, level)
    assert caught.value.field == key
    assert instead in caught.value.remedy


@pytest.mark.parametrize(
    ("key", "remedy"),
    [
        ("sync_directon", "Did you mean sync_direction?"),
        ("guard.delete_percent", "Did you mean guard.deletes_percent?"),
        ("field_direction.contact.firstname", "Did you mean field_direction.contact.first_name?"),
        ("orocrm_url", "orosync accounts add"),
        ("trust_certificate", "orosync accounts add"),
        ("weather", "orosync settings show"),
    ],
)
def test_an_unknown_setting_is_refused_with_the_nearest_one(key: str, remedy: str) -> None:
    for attempt in (lambda: validate(key, "x", SYSTEM), lambda: parse(key, "x")):
        with pytest.raises(SettingError, match="There is no setting") as caught:
            attempt()
        assert caught.value.field == key
        assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("sync_direction", "ORO-to-Outlook", "oro_to_outlook"),
        ("crm_sync_interval", " 300 ", 300),
        ("sync_contacts", "Yes", True),
        ("sync_contacts", "on", True),
        ("sync_contacts", "no", False),
        ("sync_contacts", "0", False),
        ("match_keys.contact", "emails, last_name", ["emails", "last_name"]),
        ("event_window", "7,90", [7, 90]),
        ("contacts_folder", "Müller & Söhne", "Müller & Söhne"),
        ("addin_look", '{"name": "CRM"}', {"name": "CRM"}),
    ],
)
def test_what_is_typed_after_the_key_is_read_and_then_valid(key: str, text: str, value: object) -> None:
    assert parse(key, text) == value
    assert validate(key, parse(key, text), KEYS[key].levels[0]) == value


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("crm_sync_interval", "2 minutes"),
        ("sync_contacts", "perhaps"),
        ("event_window", "a month"),
        ("addin_look", "{name: CRM}"),
    ],
)
def test_what_cannot_be_read_is_refused_like_a_bad_value(key: str, text: str) -> None:
    with pytest.raises(SettingError, match=f"{key} cannot be") as caught:
        parse(key, text)
    assert KEYS[key].allowed in caught.value.remedy


def test_nothing_set_means_the_defaults() -> None:
    assert effective({}, {}, {}) == Settings()
    assert as_json(Settings()) == {key: entry.default for key, entry in KEYS.items()}


def test_the_lower_level_overrides_the_one_above_only_where_it_set_a_value() -> None:
    result = effective(
        {"sync_contacts": False, "sync_tasks": False, "sync_events": False, "conflict_resolution": "ask"},
        {"sync_contacts": True, "sync_tasks": True, "guard.mails": 0},
        {"sync_contacts": False},
    )
    assert (result.sync_contacts, result.sync_tasks, result.sync_events) == (False, True, False)
    assert result.conflict_resolution is ConflictRule.ASK
    assert result.guard == GuardLimits(mails=0)


def test_values_in_force_have_their_types() -> None:
    result = effective(
        {"match_keys.contact": ["emails"], "field_direction.task.description": "both", "addin_look": {"name": "CRM"}},
        {"event_window": [7, 90], "oro_scope": "owned"},
        {"sync_type": "selected", "selected_category": "Sales"},
    )
    assert result.match_keys[Entity.CONTACT] == ("emails",)
    assert result.match_keys[Entity.TASK] == ("subject", "priority")
    assert result.field_direction[Entity.TASK]["description"] is Direction.BOTH
    assert result.event_window == EventWindow(days_back=7, days_ahead=90)
    assert result.oro_scope is OroScope.OWNED
    assert result.sync_type is SyncType.SELECTED
    assert result.addin_look == {"name": "CRM"}


@pytest.mark.parametrize(
    "levels",
    [
        ({"sync_direction": "sideways"}, {}, {}),
        ({}, {"crm_sync_interval": 0}, {}),
        ({}, {}, {"private_items": "include"}),
        ({"former_setting": 1}, {}, {}),
    ],
)
def test_a_stored_value_that_is_not_valid_stops_with_its_name(levels: tuple[dict[str, Any], ...]) -> None:
    with pytest.raises(SettingError) as caught:
        effective(*levels)
    assert caught.value.field in {key for level in levels for key in level}


_VALUES = {
    subject.OneOf: lambda shape: st.sampled_from([word.value for word in shape.words]),
    subject.YesNo: lambda _: st.booleans(),
    subject.Whole: lambda shape: st.integers(shape.least, shape.most),
    subject.Names: lambda shape: st.lists(st.sampled_from(shape.known), min_size=1, unique=True),
    subject.Pair: lambda shape: st.lists(st.integers(shape.each.least, shape.each.most), min_size=2, max_size=2),
    subject.Text: lambda _: st.text("abc ÄÖÜ", min_size=1, max_size=20).map(str.strip).filter(bool),
    subject.Object: lambda _: st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=3),
}
_ENTRIES = st.sampled_from(list(KEYS.values()))
_CHOICES = st.lists(
    _ENTRIES.flatmap(lambda e: st.tuples(st.just(e), _VALUES[type(e.shape)](e.shape), st.sampled_from(e.levels))),
    unique_by=lambda choice: (choice[0].key, choice[2]),
)


@given(_CHOICES)
def test_every_choice_of_valid_values_is_in_force_as_the_lowest_level_has_it(choices: list[Any]) -> None:
    levels: dict[Level, dict[str, Any]] = {level: {} for level in Level}
    for entry, value, level in choices:
        levels[level][entry.key] = value
    expected = {key: entry.default for key, entry in KEYS.items()}
    expected |= levels[SYSTEM] | levels[ORGANISATION] | levels[USER]
    result = effective(levels[SYSTEM], levels[ORGANISATION], levels[USER])
    assert as_json(result) == expected
    assert json.loads(json.dumps(as_json(result))) == expected


# account's direction, field's direction -> what the field does
TRAVEL = [
    ("bidirectional", "both", "both"),
    ("bidirectional", "to_outlook", "to_outlook"),
    ("bidirectional", "to_oro", "to_oro"),
    ("bidirectional", "off", "off"),
    ("oro_to_outlook", "both", "to_outlook"),
    ("oro_to_outlook", "to_outlook", "to_outlook"),
    ("oro_to_outlook", "to_oro", "off"),
    ("oro_to_outlook", "off", "off"),
    ("outlook_to_oro", "both", "to_oro"),
    ("outlook_to_oro", "to_outlook", "off"),
    ("outlook_to_oro", "to_oro", "to_oro"),
    ("outlook_to_oro", "off", "off"),
]


@pytest.mark.parametrize(("whole", "own", "result"), TRAVEL)
def test_a_field_travels_only_where_both_directions_allow_it(whole: str, own: str, result: str) -> None:
    chosen = effective({"sync_direction": whole, "field_direction.contact.fax": own}, {}, {})
    assert chosen.direction_of(Entity.CONTACT, "fax") is Direction(result)


@pytest.mark.parametrize("direction", list(SyncDirection))
def test_birthdays_stay_where_they_are_when_the_user_does_not_want_them_synced(direction: SyncDirection) -> None:
    chosen = Settings(sync_direction=direction, sync_birthdays=False)
    assert chosen.direction_of(Entity.CONTACT, "birthday") is Direction.OFF
    assert chosen.direction_of(Entity.CONTACT, "gender") is not Direction.OFF


def test_the_direction_of_an_unknown_field_is_a_programming_error() -> None:
    with pytest.raises(KeyError):
        Settings().direction_of(Entity.TASK, "birthday")


@pytest.mark.parametrize(
    ("chosen", "wanted"),
    [
        ({}, {Entity.CONTACT, Entity.TASK, Entity.EVENT}),
        ({"sync_contacts": False}, {Entity.TASK, Entity.EVENT}),
        ({"sync_tasks": False}, {Entity.CONTACT, Entity.EVENT}),
        ({"sync_events": False}, {Entity.CONTACT, Entity.TASK}),
        ({"enable_sync": False}, {Entity.CONTACT, Entity.TASK, Entity.EVENT}),
    ],
)
def test_the_user_chooses_which_entities_are_synced(chosen: dict[str, Any], wanted: set[Entity]) -> None:
    assert {entity for entity in Entity if effective({}, {}, chosen).wants(entity)} == wanted


def test_each_entity_has_its_container() -> None:
    assert {Settings().container_name(entity) for entity in Entity} == {subject.DEFAULT}
    chosen = Settings(contacts_folder="Customers", tasks_list="Sales", calendar="Visits")
    assert [chosen.container_name(entity) for entity in Entity] == ["Customers", "Sales", "Visits"]


MOVES: list[tuple[dict[str, Any], dict[str, Any], set[str]]] = [
    ({"sync_direction": "oro_to_outlook"}, {}, {"contact", "task", "event"}),
    ({"match_before_create": True}, {}, {"contact", "task", "event"}),
    ({"private_items": "include"}, {}, {"contact", "task", "event"}),
    ({}, {"oro_scope": "owned"}, {"contact", "task", "event"}),
    ({}, {"sync_type": "selected"}, {"contact", "task", "event"}),
    ({"match_keys.contact": ["emails"]}, {}, {"contact"}),
    ({"match_keys.task": ["subject"]}, {}, {"task"}),
    ({"match_keys.event": ["title", "start"]}, {}, {"event"}),
    ({"field_direction.task.description": "both"}, {}, {"task"}),
    ({"event_window": [30, 366]}, {}, {"event"}),
    ({"meeting_updates": "organiser"}, {}, {"event"}),
    ({}, {"contacts_folder": "Customers"}, {"contact"}),
    ({}, {"tasks_list": "Sales"}, {"task"}),
    ({}, {"calendar": "Visits"}, {"event"}),
    ({}, {"sync_birthdays": False}, {"contact"}),
    # these act on one change at a time, or on nothing yet
    ({"conflict_resolution": "ask", "crm_sync_interval": 5, "guard.creates": 1}, {}, set()),
    ({"on_delete_in_outlook": "propagate", "resync_mode": "replace"}, {"show_alerts": False}, set()),
    ({}, {"selected_category": "Sales"}, set()),
]


@pytest.mark.parametrize(("system", "user", "moved"), MOVES)
def test_the_fingerprint_changes_for_exactly_the_entities_whose_records_would_move(
    system: dict[str, Any], user: dict[str, Any], moved: set[str]
) -> None:
    chosen = effective(system, {}, user)
    assert {e for e in Entity if fingerprint(chosen, e) != fingerprint(Settings(), e)} == moved


def test_another_category_moves_records_only_while_the_selection_is_by_category() -> None:
    selected = Settings(sync_type=SyncType.SELECTED)
    other = dataclasses.replace(selected, selected_category="Sales")
    assert fingerprint(selected, Entity.TASK) != fingerprint(other, Entity.TASK)


def test_the_fingerprint_does_not_depend_on_the_order_of_mappings() -> None:
    directions = {entity: dict(reversed(own.items())) for entity, own in reversed(Settings().field_direction.items())}
    shuffled = Settings(field_direction=directions)
    assert [fingerprint(shuffled, entity) for entity in Entity] == [
        fingerprint(Settings(), entity) for entity in Entity
    ]
