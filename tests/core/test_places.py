"""Countries and regions as people write them."""

from __future__ import annotations

import pytest
from babel import Locale
from tests.core.lens_world import PLACES

from orosync.core.mapping.places import Places


@pytest.mark.parametrize(
    ("written", "country"),
    [
        *(
            (text, "US")
            for text in ("US", "us", "USA", "U.S.A.", "840", "United States of America", "Vereinigte Staaten")
        ),
        *((text, "DE") for text in ("Germany", "Deutschland", "Allemagne", "DEU", "germany ", "ドイツ")),
        *((text, "GB") for text in ("UK", "Great Britain", "England", "Royaume-Uni")),
        *((text, "TR") for text in ("Türkiye", "Turkiye", "Turkey")),
        ("Holland", "NL"),
        ("Czech Republic", "CZ"),
        ("Narnia", "Narnia"),
        ("", None),
        (None, None),
    ],
)
def test_a_country_is_known_by_many_names(written: str | None, country: str | None) -> None:
    assert PLACES.country(written) == country
    assert PLACES.country(country) == country
    assert Places().country(written) == country


def test_the_instances_own_name_comes_first() -> None:
    odd = Places(countries={"XX": "Deutschland", "DE": "Germany"})
    assert odd.country("Deutschland") == "XX"
    assert odd.country_name("DE") == "Germany"
    assert odd.country_name("XX") == "Deutschland"


def test_a_name_that_means_another_country_is_not_used() -> None:
    twins = Places(countries={"DE": "Nowhere", "US": "Nowhere"})
    assert twins.country("Nowhere") == "US"
    assert twins.country_name("DE") == "Germany"
    assert PLACES.country_name("Narnia") == "Narnia"
    assert PLACES.country_name(None) is None


def test_oro_takes_the_countries_it_serves() -> None:
    assert PLACES.serves("US")
    assert not PLACES.serves("NL")
    assert not PLACES.serves("Narnia")
    assert not PLACES.serves(None)
    assert Places().serves("NL")


@pytest.mark.parametrize(
    ("written", "country", "region", "shown"),
    [
        ("NY", "US", "US-NY", "New York"),
        ("new york", "US", "US-NY", "New York"),
        ("US-NY", "US", "US-NY", "New York"),
        ("us ny", "US", "US-NY", "New York"),
        ("NY", "DE", "NY", "NY"),
        ("US-NY", "DE", "US-NY", "US-NY"),
        ("London", "GB", "GB-LND", "London"),
        ("old", "GB", "GB-OLD", "OLD"),  # its name would be read as the other London
        ("La Condamine", "MC", "La Condamine", "La Condamine"),
        ("NY", None, "NY", "NY"),
        (None, "US", None, None),
    ],
)
def test_a_region_is_known_by_id_code_or_name_in_its_country(
    written: str | None, country: str | None, region: str | None, shown: str | None
) -> None:
    assert PLACES.region(written, country) == region
    assert PLACES.region_name(region, country) == shown
    assert PLACES.region(shown, country) == region


def test_a_region_whose_name_and_code_mean_others_goes_by_its_id() -> None:
    odd = Places(regions={"A-1": ("A", "Y", "X"), "A-2": ("A", "X", "Y"), "A-3": ("A", "X", "Y")})
    assert odd.region_name("A-3", "A") == "A-3"
    assert odd.region("A-3", "A") == "A-3"


@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_every_country_reads_back_from_what_we_write(language: str) -> None:
    names = {code: name for code, name in Locale(language).territories.items() if len(code) == 2 and code.isalpha()}
    for places in (Places(countries=names), Places()):
        for country in names:
            assert places.country(places.country_name(country)) == country
            assert places.country(country) == country
