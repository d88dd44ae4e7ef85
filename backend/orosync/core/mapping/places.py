"""Countries and regions: what people write, as the ids OroCRM serves, and back.

A name is found in what the instance serves, in Babel's territory names of many languages, among ISO codes and in a
short list of common other names (dependencies.md 2.5). What is not found stays text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from babel import Locale
from babel.core import get_global

# fmt: off
_LANGUAGES = (
    "en", "de", "fr", "es", "it", "pt", "nl", "pl", "cs", "sk", "sl", "hr", "hu", "ro", "bg", "uk", "ru", "el", "tr",
    "sv", "da", "nb", "fi", "et", "lv", "lt", "ca", "ja", "zh", "ko", "ar", "he",
)
# fmt: on
_OTHER_NAMES = {
    "usofa": "US",
    "unitedstatesofamerica": "US",
    "theunitedstates": "US",
    "england": "GB",
    "scotland": "GB",
    "wales": "GB",
    "northernireland": "GB",
    "greatbritain": "GB",
    "britain": "GB",
    "unitedkingdomofgreatbritainandnorthernireland": "GB",
    "holland": "NL",
    "thenetherlands": "NL",
    "turkey": "TR",
    "czechrepublic": "CZ",
    "tschechischerepublik": "CZ",
    "brd": "DE",
    "korea": "KR",
    "republicofkorea": "KR",
    "russianfederation": "RU",
    "vietnam": "VN",
    "uae": "AE",
    "eire": "IE",
    "republicofireland": "IE",
    "ivorycoast": "CI",
    "macedonia": "MK",
    "swaziland": "SZ",
    "capeverde": "CV",
    "burma": "MM",
    "peoplesrepublicofchina": "CN",
    "taiwanprovinceofchina": "TW",
}


@lru_cache(maxsize=16_384)
def _key(text: str) -> str:
    """A name without case, accents, blanks and punctuation."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return re.sub(r"[\W_]+", "", "".join(each for each in plain if not unicodedata.combining(each)))


@lru_cache(maxsize=1)
def _english() -> Mapping[str, str]:
    """ISO-2 code -> English name."""
    return {code: name for code, name in Locale("en").territories.items() if len(code) == 2 and code.isalpha()}


@lru_cache(maxsize=1)
def _known_names() -> Mapping[str, str]:
    """Key of a name or code -> ISO-2 code. A name that means different countries in different languages: the first."""
    codes = _english()
    known = {_key(name): code for name, code in _OTHER_NAMES.items()}
    known |= {_key(code): code for code in codes}
    for alias, (first, *others) in get_global("territory_aliases").items():
        if not others and first in codes:
            known.setdefault(_key(alias), first)
    for language in _LANGUAGES:
        for code, name in Locale(language).territories.items():
            if code in codes:
                known.setdefault(_key(name), code)
    return known


@dataclass(frozen=True)
class Places:
    """Countries and regions as the OroCRM instance serves them.

    countries: id (ISO-2, "US") -> name. regions: id ("US-NY") -> (country id, code "NY", name "New York").
    """

    countries: Mapping[str, str] = field(default_factory=dict)
    regions: Mapping[str, tuple[str, str, str]] = field(default_factory=dict)

    @cached_property
    def _country_keys(self) -> Mapping[str, str]:
        return {_key(name): country for country, name in self.countries.items()}

    @cached_property
    def _region_keys(self) -> Mapping[str, Mapping[str, str]]:
        """Country id -> key of name, code or id -> region id; a name two regions share is the first one's."""
        keys: dict[str, dict[str, str]] = {}
        for spelling in (lambda _, name: name, lambda code, _: code):
            for region, (country, code, name) in self.regions.items():
                keys.setdefault(country, {}).setdefault(_key(spelling(code, name)), region)
        for region, (country, _, _) in self.regions.items():
            keys[country].setdefault(_key(region), region)
        return keys

    def country(self, text: str | None) -> str | None:
        """The ISO-2 id of a country by id, name in many languages or code; the text itself where nobody knows it."""
        if not text:
            return None
        if text in self.countries:
            return text
        key = _key(text)
        return self._country_keys.get(key) or _known_names().get(key) or text

    def serves(self, country: str | None) -> bool:
        """Whether OroCRM would take this value as a country. Without a list: any ISO-2 code."""
        return country in (self.countries or _english())

    def region(self, text: str | None, country: str | None) -> str | None:
        """The region's id by id, code or name within a country; the text itself where the country has none such."""
        if not text or country is None or self.lists(text, country):
            return text
        return self._region_keys.get(country, {}).get(_key(text), text)

    def lists(self, region: str | None, country: str | None) -> bool:
        """Whether this is the id of one of the country's regions."""
        return region in self.regions and self.regions[str(region)][0] == country

    def has_regions(self, country: str | None) -> bool:
        return country in self._region_keys

    def country_name(self, country: str | None) -> str | None:
        """How a country is written for people: as OroCRM names it, else in English, else as it is."""
        if country is None:
            return None
        for name in (self.countries.get(country), _english().get(country)):
            if name and self.country(name) == country:
                return name
        return country

    def region_name(self, region: str | None, country: str | None) -> str | None:
        """How a region is written for people: its name, its code where the name means another one too, else its id."""
        if region is None or not self.lists(region, country):
            return region
        _, code, name = self.regions[region]
        for text in (name, code):
            if self.region(text, country) == region:
                return text
        return region
