"""The pane's words: every language has every text, nothing the pane asks for is missing, nothing is left over."""

import json
import re
from functools import cache
from itertools import product
from pathlib import Path

import pytest

from orosync.core.fields import CATALOGUE
from orosync.core.look import SECTIONS
from orosync.core.settings import KEYS

ADDIN = Path(__file__).resolve().parents[2] / "addin"
LANGUAGES = sorted(path.stem for path in (ADDIN / "locales").glob("*.json"))
# Plural forms by language (Unicode CLDR); French's `many`, for millions, falls back to `other`.
FORMS = {
    "en": {"one", "other"},
    "de": {"one", "other"},
    "fr": {"one", "other"},
    "uk": {"one", "few", "many", "other"},
}


@cache
def texts(language: str) -> dict[str, str | dict[str, str]]:
    loaded: dict[str, str | dict[str, str]] = json.loads((ADDIN / "locales" / f"{language}.json").read_text("utf-8"))
    return loaded


@cache
def sources() -> str:
    return "\n".join(path.read_text("utf-8") for path in sorted((ADDIN / "js").rglob("*.js")))


def placeholders(entry: str | dict[str, str]) -> set[str]:
    forms = [entry] if isinstance(entry, str) else list(entry.values())
    return {name for form in forms for name in re.findall(r"\{(\w+)\}", form)}


def composed(template: str) -> re.Pattern[str]:
    """ "run.mode.${run.mode}" -> a pattern of the keys it can become."""
    return re.compile(".+".join(re.escape(part) for part in re.split(r"\$\{(?:[^{}]|\{[^{}]*\})*\}", template)))


def asked_for() -> tuple[set[str], list[re.Pattern[str]]]:
    """(keys written out in the sources, patterns of those that are composed)."""
    plain = set(re.findall(r"[\"']([a-z_]+(?:\.[a-z_-]+)+)[\"']", sources()))
    return plain, [composed(each) for each in re.findall(r"`([a-z_]+\.[^`\s]*\$\{[^`]*)`", sources())]


def test_the_pane_offers_exactly_the_languages_there_are_files_for() -> None:
    offered = re.search(r"LANGUAGES = (\[[^\]]*\])", (ADDIN / "js" / "i18n.js").read_text("utf-8"))
    assert offered is not None
    assert sorted(json.loads(offered[1])) == LANGUAGES == sorted(FORMS)


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each != "en"])
def test_a_language_has_the_same_keys_as_english(language: str) -> None:
    assert texts(language).keys() == texts("en").keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_fills_in_the_same_values_as_english(language: str) -> None:
    different = {key for key, entry in texts(language).items() if placeholders(entry) != placeholders(texts("en")[key])}
    assert different == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_numbers_have_every_plural_form_of_the_language(language: str) -> None:
    plural = {key: set(entry) for key, entry in texts(language).items() if isinstance(entry, dict)}
    assert plural.keys() == {key for key, entry in texts("en").items() if isinstance(entry, dict)}
    assert {key: forms for key, forms in plural.items() if forms != FORMS[language]} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty_or_carries_markup(language: str) -> None:
    forms = [
        (key, form)
        for key, entry in texts(language).items()
        for form in ([entry] if isinstance(entry, str) else entry.values())
    ]
    assert [key for key, form in forms if not form.strip() or re.search(r"<\w|&\w+;", form)] == []


def test_every_key_written_in_the_sources_has_a_text() -> None:
    plain, _ = asked_for()
    prefixes = {key.split(".")[0] for key in texts("en")}
    keys = {
        key for key in plain if key.split(".")[0] in prefixes and not key.endswith((".js", ".css", ".json", ".svg"))
    }
    assert len(keys) > 200
    assert keys - texts("en").keys() == set()


def test_no_text_is_left_over() -> None:
    plain, patterns = asked_for()
    spare = {key for key in texts("en") if key not in plain and not any(each.fullmatch(key) for each in patterns)}
    assert spare == set()


def test_every_composed_key_of_a_closed_set_has_a_text() -> None:
    entities = ("contact", "task", "event")
    wanted = {
        *(f"tab.{name}" for name in SECTIONS),
        *(f"entity.{entity}.{form}" for entity, form in product(entities, ("one", "many"))),
        *(f"welcome.{entity}" for entity in entities),
        *(f"side.{where}" for where in ("outlook", "oro", "in_outlook", "in_oro")),
        *(
            f"run.mode.{mode}{of}"
            for mode, of in product(("sync", "resync", "undo"), ("", "_preview"))
            if mode + of != "sync_preview"
        ),
        "run.mode.preview",
        *(f"run.state.{state}" for state in ("waiting", "running", "done", "held", "failed", "suspended", "cancelled")),
        *(f"run.explained.{state}" for state in ("held", "failed", "suspended", "cancelled")),
        *(f"crm.sync.{state}" for state in ("linked", "alone", "out_of_scope", "unknown")),
        *(f"crm.group.{group}" for group in ("opportunity", "lead", "case", "task", "event")),
        *(
            f"screen.{name}.title"
            for name in ("no_office", "office_unreachable", "consent_missing", "offline", "server_error")
        ),
        *(f"progress.writing_{entity}s" for entity in entities),
        *(f"progress.reading_{side}" for side in ("outlook", "oro")),
        *(f"progress.reading_{entity}s_in_{side}" for entity, side in product(entities, ("outlook", "oro"))),
    }
    assert wanted - texts("en").keys() == set()


def test_every_field_of_the_catalogue_has_a_name() -> None:
    wanted = {
        f"field.{name}" for catalogue in CATALOGUE.values() for each in catalogue for name in (each.name, each.unit)
    }
    assert wanted - texts("en").keys() == set()


def test_every_setting_has_a_label_and_every_choice_a_name() -> None:
    missing = set()
    for key, entry in KEYS.items():
        first = key.split(".")[0]
        if first == "addin_look":  # has a view of its own
            continue
        if first not in {"field_direction", "match_keys"} and f"setting.{key}" not in texts("en"):
            missing.add(f"setting.{key}")
        words = getattr(entry.shape, "words", ())
        missing |= {f"choice.{first}.{word}" for word in words if f"choice.{first}.{word}" not in texts("en")}
    assert missing == set()
