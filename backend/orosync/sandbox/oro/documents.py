"""How records look in the JSON:API: documents with links, thinned fields and included records.

What the asking user may not view reads as null in a relation and is left out of a list of them. Source:
contacts-get*, acl-restricted-get-own-with-relations, contacts-get-include-addresses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orosync.sandbox.oro import permissions, schema
from orosync.sandbox.oro.dictionaries import find
from orosync.sandbox.oro.records import OroUser, Ref
from orosync.sandbox.oro.schema_parts import Relation, Resource
from orosync.sandbox.oro.state import OroState

RELATION_LIMIT = 100
"""A to-many relation shows at most this many entries."""
_UNCUT = frozenset({"regions", "addresstypes", "taskstatuses", "taskpriorities"})


@dataclass
class Renderer:
    """Renders for one request: `base` is the API's address, `links=False` is `noHateoas`."""

    state: OroState
    user: OroUser
    base: str
    fields: Mapping[str, frozenset[str]] = field(default_factory=dict)
    links: bool = True

    def document(self, resource: Resource, record: Any, identifier: Any = None) -> dict[str, Any]:
        """One resource object."""
        identifier = record.id if identifier is None else identifier
        address = f"{self.base}/{resource.name}/{identifier}"
        shown: dict[str, Any] = {"type": resource.name, "id": str(identifier)}
        if self.links:
            shown["links"] = {"self": address}
        wanted = self.fields.get(resource.name)
        state = self.state
        attributes = {
            name: read(state, record) for name, read in resource.attributes.items() if wanted is None or name in wanted
        }
        relations = {
            name: self._relation(relation, record, f"{address}/", name)
            for name, relation in resource.relations.items()
            if wanted is None or name in wanted
        }
        if attributes:
            shown["attributes"] = attributes
        if relations:
            shown["relationships"] = relations
        return shown

    def profile(self, user: OroUser) -> dict[str, Any]:
        """The own user as `userprofile`; its links lead to `users`."""
        shown = self.document(schema.PROFILE, user)
        if self.links:
            at_users = f"{self.base}/users/{user.id}"
            shown["links"] = {"self": f"{self.base}/userprofile", "related": at_users}
            for name, relation in shown.get("relationships", {}).items():
                relation["links"] = _relation_links(f"{at_users}/", name)
        return shown

    def _relation(self, relation: Relation, record: Any, address: str, name: str) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        if self.links and relation.linked:
            shown["links"] = _relation_links(address, name)
        shown["data"] = self.linkage(relation, record)
        return shown

    def linkage(self, relation: Relation, record: Any) -> Any:
        """References as the user may see them."""
        found = relation.read(self.state, record)
        if not relation.many:
            return None if found is None or not self.visible(relation, found) else _reference(found)
        shown = [_reference(each) for each in found if self.visible(relation, each)]
        return shown if shown and shown[0]["type"] in _UNCUT else shown[:RELATION_LIMIT]

    def visible(self, relation: Relation, reference: Ref) -> bool:
        """Whether the user may view what a relation points at."""
        entity = relation.entity
        if entity is None:
            resource = schema.resource_named(self.state, reference[0])
            entity = resource.entity if resource else None
        if entity is None:
            return True
        level = self.state.level(self.user, entity)
        if level != permissions.OWN:
            return level == permissions.SYSTEM
        record = find(self.state, *reference)
        resource = schema.resource_named(self.state, reference[0])
        return (
            record is not None
            and resource is not None
            and schema.owner_of(self.state, resource, record) == self.user.id
        )

    def included(self, resource: Resource, records: Iterable[Any], paths: Sequence[str]) -> list[dict[str, Any]]:
        """What `include` asks for, nested ones before those that hold them; unknown names are ignored."""
        tree: dict[str, Any] = {}
        for path in paths:
            branch = tree
            for name in path.split("."):
                branch = branch.setdefault(name, {})
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for record in records:
            self._include(resource, record, tree, found)
        return list(found.values())

    def _include(
        self, resource: Resource, record: Any, tree: Mapping[str, Any], found: dict[tuple[str, str], dict[str, Any]]
    ) -> None:
        for name, branch in tree.items():
            relation = resource.relations.get(name)
            if relation is None:
                continue
            linkage = self.linkage(relation, record)
            for reference in [linkage] if isinstance(linkage, dict) else linkage or ():
                target = schema.resource_named(self.state, reference["type"])
                other = find(self.state, reference["type"], reference["id"])
                key = (reference["type"], reference["id"])
                if target is None or other is None or key in found:
                    continue
                self._include(target, other, branch, found)
                found[key] = self.document(target, other)


def _relation_links(address: str, name: str) -> dict[str, str]:
    return {"self": f"{address}relationships/{name}", "related": f"{address}{name}"}


def _reference(found: Ref) -> dict[str, str]:
    return {"type": found[0], "id": str(found[1])}


def flat(document: Mapping[str, Any]) -> dict[str, Any]:
    """A resource object in the plain dialect: no wrapper, relations as ids."""
    identifier = str(document["id"])
    shown: dict[str, Any] = {"id": int(identifier) if identifier.isdigit() else identifier}
    shown |= document.get("attributes", {})
    for name, relation in document.get("relationships", {}).items():
        data = relation["data"]
        many = isinstance(data, list)
        ids = [int(each["id"]) if each["id"].isdigit() else each["id"] for each in (data if many else [data]) if each]
        shown[name] = ids if many else next(iter(ids), None)
    return shown
