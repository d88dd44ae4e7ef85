"""Contacts of OroCRM with their addresses as items: lists, bulk reads and least writes.

An item's body is {"id", "attributes", "owner", "addresses": [{"id", "attributes", "country", "region", "types"}],
"tags"}. Which values go into it is decided by the lens; here is how they travel (orocrm-api.md 3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orosync.core.exchange import Write, Written
from orosync.core.records import Entity, Item, Json
from orosync.errors import RecordChanged, RecordRefused, SideFailing
from orosync.oro import jsonapi
from orosync.oro.answers import entity_refusal, one_of, rows_of, write_refusal
from orosync.oro.client import Answer, Method, OroClient
from orosync.oro.versions import version_of

TYPE, ADDRESS, TAG = "contacts", "contactaddresses", "tags"
TO_MANY_LIMIT = 100  # OroCRM cuts relations to many here, without a sign

ATTRIBUTES = (
    "namePrefix", "firstName", "middleName", "lastName", "nameSuffix", "gender", "birthday", "description", "jobTitle",
    "fax", "skype", "twitter", "facebook", "googlePlus", "linkedIn", "emails", "phones", "primaryEmail", "primaryPhone",
    "externalId", "createdAt", "updatedAt",
)  # fmt: skip
ADDRESS_ATTRIBUTES = (
    "primary", "label", "street", "street2", "city", "postalCode", "organization", "customRegion", "namePrefix",
    "firstName", "middleName", "lastName", "nameSuffix", "createdAt", "updatedAt",
)  # fmt: skip

# Beyond these OroCRM answers 400, or fails with 500 (over-long-values). The lens cuts; this is the second look.
LIMITS: Mapping[str, int] = {
    "firstName": 100, "lastName": 100, "namePrefix": 255, "middleName": 255, "nameSuffix": 255, "jobTitle": 255,
    "fax": 255, "skype": 255, "twitter": 255, "facebook": 255, "googlePlus": 255, "linkedIn": 255,
    "primaryPhone": 255, "primaryEmail": 255, "externalId": 36,
}  # fmt: skip
ADDRESS_LIMITS: Mapping[str, int] = {
    "label": 255, "street": 500, "street2": 500, "city": 255, "postalCode": 255, "organization": 255,
    "customRegion": 255, "namePrefix": 255, "firstName": 255, "middleName": 255, "lastName": 255, "nameSuffix": 255,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Contacts:
    """owner: only this user's contacts are in scope; None for all. external_id: contacts have `externalId` (7.0.2)."""

    client: OroClient
    owner: str | None
    external_id: bool
    entity: Entity = Entity.CONTACT
    type: str = TYPE

    def shape(self) -> dict[str, str]:
        return {
            "include": "addresses,tags",
            **jsonapi.thin(TAG, ["name"]),
            **jsonapi.thin(TYPE, [*ATTRIBUTES, "owner", "addresses", "tags"]),
            **jsonapi.thin(ADDRESS, [*ADDRESS_ATTRIBUTES, "country", "region", "types"]),
        }

    def scope(self) -> dict[str, str]:
        return {} if self.owner is None else {"filter[owner]": self.owner}

    def items(self, answer: Answer) -> list[Item]:
        addresses, tags = (jsonapi.included_by_id(answer.document, each) for each in (ADDRESS, TAG))
        return [self._item(row, addresses, jsonapi.tag_names(row, tags)) for row in rows_of(answer)]

    def item(self, answer: Answer, id: str | None = None) -> Item:
        row, tags = one_of(answer, id), jsonapi.included_by_id(answer.document, TAG)
        return self._item(row, jsonapi.included_by_id(answer.document, ADDRESS), jsonapi.tag_names(row, tags))

    def is_elsewhere(self, item: Item) -> bool:
        return self.owner is not None and item.body["owner"] != self.owner

    def found_by(self, since: datetime, user: str) -> dict[str, str]:
        """Parameters of the list in which a create of unknown outcome is looked for."""
        return {**jsonapi.since_filter("updatedAt", jsonapi.instant(since)), "filter[createdBy]": user}

    def create(self, write: Write) -> Written:
        """One request, addresses inside. Raises RecordRefused and its like."""
        attributes = dict(write.patch.get("attributes", {}))
        if self.external_id:
            attributes.setdefault("externalId", write.op_id)
        new = write.patch.get("addresses", {}).get("create", [])
        _look_at_lengths(attributes, new)
        names = [f"new{number}" for number, _ in enumerate(new)]
        included = [_address_resource(name, each) for name, each in zip(names, new, strict=True)]
        relations = {"addresses": jsonapi.many(ADDRESS, names)} if names else {}
        body = jsonapi.document(TYPE, None, attributes, relations, included)
        return Written(self.item(self._write("POST", TYPE, body)))

    def update(self, write: Write, item: Item) -> Written:
        """Attributes alone, or one address alone: one request that touches nothing else. More than that goes into
        one request as well, so that it is applied whole or not at all; as the address relation is then replaced
        whole, the set in it is read just before. A contact with more addresses than OroCRM lists in a relation
        would lose the others, so there it goes step by step."""
        attributes = write.patch.get("attributes", {})
        changes = _AddressChanges.of(write.patch)
        _look_at_lengths(attributes, [*changes.create, *changes.update.values()])
        if not changes.count:
            answer = self._write("PATCH", f"{TYPE}/{item.id}", jsonapi.document(TYPE, item.id, attributes, {}))
            return Written(self._completed(answer, item))
        if (attributes or changes.count > 1) and len(item.body["addresses"]) < TO_MANY_LIMIT:
            self._write("PATCH", f"{TYPE}/{item.id}", self._whole_document(item.id, attributes, changes))
        else:
            if attributes:
                self._write("PATCH", f"{TYPE}/{item.id}", jsonapi.document(TYPE, item.id, attributes, {}))
            self._step_by_step(item.id, changes)
        return Written(self._read_back(item.id))

    def delete(self, item: Item) -> Written:
        answer = self.client.write("DELETE", f"{TYPE}/{item.id}")
        if not answer.ok and answer.status != 404:
            raise write_refusal(answer, self.entity)
        return Written(None)

    def _whole_document(self, id: str, attributes: Mapping[str, Any], changes: _AddressChanges) -> dict[str, Any]:
        present = self._address_ids(id)
        gone = [each for each in changes.update if each not in present]
        if gone:
            raise RecordChanged("An address to be changed is no longer in OroCRM.", code="address_gone")
        kept = [each for each in present if each not in changes.delete]
        names = [f"new{number}" for number, _ in enumerate(changes.create)]
        included = [_address_resource(name, each) for name, each in zip(names, changes.create, strict=True)]
        for each, body in changes.update.items():
            included.append({**_address_resource(each, body), "meta": {"update": True}})
        relations = {"addresses": jsonapi.many(ADDRESS, [*kept, *names])}
        return jsonapi.document(TYPE, id, attributes, relations, included)

    def _address_ids(self, id: str) -> list[str]:
        answer = self.client.get(f"{TYPE}/{id}", jsonapi.thin(TYPE, ["addresses"]))
        if not answer.ok:
            raise write_refusal(answer, self.entity)
        ids = jsonapi.related_ids(one_of(answer, id), "addresses")
        if len(ids) >= TO_MANY_LIMIT:
            raise RecordChanged("The contact has got many more addresses meanwhile.", code="many_addresses")
        return ids

    def _step_by_step(self, id: str, changes: _AddressChanges) -> None:
        """Types are unique within a contact: they are freed before they are taken."""
        for each in changes.delete:
            answer = self.client.write("DELETE", f"{ADDRESS}/{each}")
            if not answer.ok and answer.status != 404:
                raise write_refusal(answer, self.entity)
        for each, body in changes.update.items():
            self._write("PATCH", f"{ADDRESS}/{each}", {"data": _address_resource(each, body)})
        for body in changes.create:
            resource = _address_resource(None, body)
            resource.setdefault("relationships", {})["owner"] = jsonapi.one(TYPE, id)
            self._write("POST", ADDRESS, {"data": resource})

    def _write(self, method: Method, path: str, body: Any) -> Answer:
        answer = self.client.write(method, path, body)
        if not answer.ok:
            raise write_refusal(answer, self.entity)
        return answer

    def _completed(self, answer: Answer, before: Item) -> Item:
        """The reply to a PATCH tells of addresses and tags only their ids: the contents are those read before."""
        row = one_of(answer, before.id)
        known = {each["id"]: each for each in before.body["addresses"]}
        if set(jsonapi.related_ids(row, "addresses")) != set(known) or len(known) >= TO_MANY_LIMIT:
            return self._read_back(before.id)
        return _item_of(row, list(known.values()), before.body["tags"])

    def _read_back(self, id: str) -> Item:
        answer = self.client.get(f"{TYPE}/{id}", self.shape())
        if not answer.ok:
            raise write_refusal(answer, self.entity)
        return self.item(answer, id)

    def _item(self, row: jsonapi.Resource, included: Mapping[str, jsonapi.Resource], tags: list[str]) -> Item:
        ids = jsonapi.related_ids(row, "addresses")
        if len(ids) >= TO_MANY_LIMIT or any(each not in included for each in ids):
            return _item_of(row, self._all_addresses(str(row["id"])), tags)
        return _item_of(row, [_address_of(included[each]) for each in ids], tags)

    def _all_addresses(self, id: str) -> list[Json]:
        found: list[Json] = []
        thin = jsonapi.thin(ADDRESS, [*ADDRESS_ATTRIBUTES, "country", "region", "types"])
        while True:
            beyond = {"filter[id][gt]": found[-1]["id"]} if found else {}
            params = {"filter[owner]": id, "sort": "id", **jsonapi.page(500), **beyond, **thin}
            answer = self.client.get(ADDRESS, params, total=True)
            if not answer.ok:
                raise entity_refusal(answer, self.entity)
            rows = [_address_of(row) for row in rows_of(answer)]
            if found and rows and int(rows[-1]["id"]) <= int(found[-1]["id"]):
                raise SideFailing("OroCRM's list of addresses leads back to itself.")
            found += rows
            if not rows or (answer.total is not None and len(rows) >= answer.total):
                return found


@dataclass(frozen=True, slots=True)
class _AddressChanges:
    create: list[Json]
    update: dict[str, Json]
    delete: list[str]

    @classmethod
    def of(cls, patch: Json) -> _AddressChanges:
        given = patch.get("addresses", {})
        update = {each: body for each, body in given.get("update", {}).items() if body}
        return cls(list(given.get("create", [])), update, list(given.get("delete", [])))

    @property
    def count(self) -> int:
        return len(self.create) + len(self.update) + len(self.delete)


def _item_of(row: jsonapi.Resource, addresses: list[Json], tags: list[str]) -> Item:
    given = jsonapi.attributes_of(row)
    body: Json = {
        "id": jsonapi.number_of(row),
        "attributes": {name: given[name] for name in ATTRIBUTES if name in given},
        "owner": jsonapi.related(row, "owner"),
        "addresses": sorted(addresses, key=lambda each: int(each["id"])),
        "tags": tags,
    }
    return Item(body["id"], version_of(body), body)


def _address_of(resource: jsonapi.Resource) -> Json:
    given = jsonapi.attributes_of(resource)
    return {
        "id": jsonapi.number_of(resource),
        "attributes": {name: given[name] for name in ADDRESS_ATTRIBUTES if name in given},
        "country": jsonapi.related(resource, "country"),
        "region": jsonapi.related(resource, "region"),
        "types": sorted(jsonapi.related_ids(resource, "types")),
    }


def _address_resource(id: str | None, body: Json) -> jsonapi.Resource:
    """What a patch says of one address; keys that are left out stay as they are."""
    relations: dict[str, Any] = {}
    if "country" in body:
        relations["country"] = jsonapi.one("countries", body["country"])
    if "region" in body:
        relations["region"] = jsonapi.one("regions", body["region"])
    if "types" in body:
        relations["types"] = jsonapi.many("addresstypes", body["types"])
    resource: jsonapi.Resource = jsonapi.document(ADDRESS, id, body.get("attributes", {}), relations)["data"]
    return resource


def _look_at_lengths(attributes: Mapping[str, Any], addresses: list[Json]) -> None:
    """Raises RecordRefused before anything is sent."""
    texts = [(name, attributes.get(name), LIMITS[name]) for name in LIMITS]
    texts += [("phones", each.get("phone"), 255) for each in attributes.get("phones") or []]
    texts += [("emails", each.get("email"), 255) for each in attributes.get("emails") or []]
    for address in addresses:
        given = address.get("attributes", {})
        texts += [(f"addresses.{name}", given.get(name), limit) for name, limit in ADDRESS_LIMITS.items()]
    for name, text, limit in texts:
        if isinstance(text, str) and len(text) > limit:
            raise RecordRefused(f"OroCRM holds at most {limit} characters in {name}.", code="too_long")
