"""Anything that Microsoft Graph's own model permits of a contact, an event or a task is read, in normal form, and
nothing is written for it. The lenses may not lean on what only the simulation promises."""

from __future__ import annotations

import copy
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.core.foreign_items import BLOCKS, CLOCKS, EMAILS, EXTENDED, RECENT_DAYS, ZONE_NAMES
from tests.core.lens_world import CONTEXT, item
from tests.proof.effort import examples
from tests.proof.tally import count, owe

from orosync.core.canonical import canonical
from orosync.core.mapping import lens_of
from orosync.core.records import Entity, Side

KINDS = {Entity.CONTACT: "contact", Entity.EVENT: "event", Entity.TASK: "todoTask"}
# Members that hold items of their own, or that no lens looks at, only cost time.
LEFT_OUT = {"extensions", "multiValueExtendedProperties", "instances", "exceptionOccurrences", "checklistItems"}
LEFT_OUT |= {"attachments", "location", "locations", "imAddresses", "children", "responseStatus"}
# What a text may be where the model says no more than "a text".
TEXT_OF = {
    "dateTime": st.builds("{}T{}.0000000".format, RECENT_DAYS, CLOCKS),
    "timeZone": ZONE_NAMES,
    "address": EMAILS.filter(lambda text: text is not None),
    "startDate": RECENT_DAYS,
    "endDate": RECENT_DAYS,
    "externalId": st.sampled_from(["42", "", "x"]),
    "applicationName": st.sampled_from(["OroCRM", "Planner", ""]),
}
MOMENTS = st.builds(
    "{}T{}{}{}".format,
    st.one_of(RECENT_DAYS, st.sampled_from(["0001-01-01", "1604-02-29", "4501-01-01", "10000-01-01"])),
    CLOCKS,
    st.sampled_from(["", ".1", ".1234567", ".123456789012"]),
    st.sampled_from(["Z", "Z", "+14:00", "-12:00"]),
)


@lru_cache(maxsize=1)
def _schemas(folder: Path) -> dict[str, Any]:
    specification = yaml.load((folder / "openapi-subset.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader)
    schemas: dict[str, Any] = specification["components"]["schemas"]
    return schemas


class Model:
    """Strategies out of schemas; each named type once."""

    def __init__(self, schemas: dict[str, Any]) -> None:
        self.schemas = schemas
        self.known: dict[str, st.SearchStrategy[Any]] = {}

    def named(self, name: str) -> st.SearchStrategy[Any]:
        if name not in self.known:
            self.known[name] = st.deferred(lambda: self.of(self.schemas[name]))
        return self.known[name]

    def of(self, schema: dict[str, Any], member: str = "") -> st.SearchStrategy[Any]:
        if member == "singleValueExtendedProperties":
            return EXTENDED  # a row is named by its id, each once
        if "$ref" in schema:
            return self.named(schema["$ref"].rpartition("/")[2])
        if "allOf" in schema or "properties" in schema:
            return st.fixed_dictionaries({}, optional=self.members(schema))
        if "anyOf" in schema:
            return st.one_of(*(self.of(each, member) for each in schema["anyOf"]))
        plain = self.plain(schema, member)
        return st.one_of(st.none(), plain) if schema.get("nullable") else plain

    def plain(self, schema: dict[str, Any], member: str) -> st.SearchStrategy[Any]:
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        if schema.get("format") == "date-time":
            return MOMENTS
        kinds: dict[str, st.SearchStrategy[Any]] = {
            "string": TEXT_OF.get(member, BLOCKS.map(lambda text: text or "")),
            "boolean": st.booleans(),
            "integer": st.integers(-1, 1000),
            "object": st.none(),  # of these the model has "null or nothing in it" alone
        }
        if schema.get("type") == "array":
            return st.lists(self.of(schema["items"], member), max_size=3)
        return kinds[schema["type"]]

    def members(self, schema: dict[str, Any]) -> dict[str, st.SearchStrategy[Any]]:
        found: dict[str, st.SearchStrategy[Any]] = {}
        for each in schema.get("allOf", [schema]):
            if "$ref" in each:
                found |= self.members(self.schemas[each["$ref"].rpartition("/")[2]])
            for name, member in each.get("properties", {}).items():
                if name not in LEFT_OUT and not name.startswith("@"):
                    found[name] = self.of(member, name)
        return found


@pytest.mark.parametrize("entity", list(KINDS))
def test_whatever_the_model_permits_is_read_and_left_as_it_is(entity: Entity, contracts: Path) -> None:
    lens, model = lens_of(Side.OUTLOOK, entity), Model(_schemas(contracts / "graph"))
    owe("lens", f"{entity} as Graph's model permits", 60)

    @settings(
        max_examples=examples(80, 40),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )
    @given(model.named(f"microsoft.graph.{KINDS[entity]}"))
    def law(body: dict[str, Any]) -> None:
        whole = copy.deepcopy(body)
        record = lens.snapshot(item(body), CONTEXT).record
        assert canonical(entity, record) == record
        if not lens.snapshot(item(body), CONTEXT).private:
            assert lens.put(record, item(body), CONTEXT) == {}
        assert body == whole
        count("lens", f"{entity} as Graph's model permits")

    law()
