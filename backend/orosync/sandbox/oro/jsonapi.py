"""The JSON:API (`/api/...`) and its plain dialect: which request does what, and what it answers.

Permissions and rules are those of `writes` and `listing`; signing in is done before. Source: section 2 of the API
reference and the recordings named there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orosync.sandbox.oro import (
    async_operations,
    listing,
    query,
    requests_in,
    schema,
    search,
    webhook_api,
    webhooks,
    writes,
)
from orosync.sandbox.oro.dictionaries import find
from orosync.sandbox.oro.documents import Renderer, flat
from orosync.sandbox.oro.problems import MethodRefused, Problem, Refused, denied, not_found
from orosync.sandbox.oro.query import Listing
from orosync.sandbox.oro.records import OroUser
from orosync.sandbox.oro.schema_contacts import ADDRESSES
from orosync.sandbox.oro.schema_parts import Resource
from orosync.sandbox.oro.settings_api import option
from orosync.sandbox.oro.state import OroState
from orosync.sandbox.oro.wire import JSON, Answer, Asked

DELETE_AT_ONCE = 100


class JsonApi:
    """Answers one request of a signed-in user."""

    def __init__(self, state: OroState, user: OroUser, asked: Asked, base: str) -> None:
        self._state, self._user, self._asked, self._base = state, user, asked, base

    def answer(self, parts: list[str]) -> Answer:
        """`parts` is the path below `/api/`. Raises `Refused` and `MethodRefused`."""
        special: dict[str, Callable[[list[str]], Answer]] = {
            "userprofile": self._profile,
            "configurationoptions": self._option,
            "asyncoperations": self._operation,
            "search": self._search,
        }
        if parts[0] in special:
            return special[parts[0]](parts[1:])
        if parts[0] in webhook_api.RESOURCES and webhooks.served(self._state):
            return webhook_api.WebhookApi(self._state, self._user, self._asked, self._base).answer(parts)
        resource = self._resource(parts[0])
        if len(parts) == 1:
            return self._collection(resource)
        if len(parts) == 2:
            return self._item(resource, parts[1])
        if len(parts) == 3:
            return self._subresource(resource, parts[1], parts[2])
        if len(parts) == 4 and parts[2] == "relationships":
            return self._relationship(resource, parts[1], parts[3])
        raise _no_subresource()

    def _resource(self, name: str) -> Resource:
        resource = schema.resource_named(self._state, name)
        if resource is None:
            if name in schema.NOT_ACCESSIBLE:
                detail = "The resource is not accessible."
                raise Refused(Problem(404, "resource not accessible exception", detail))
            raise Refused(Problem(404, "entity type constraint", f"Unknown entity type: {name}."))
        return resource

    # reading

    def _listing(self) -> Listing:
        settings = self._state.settings
        if not self._asked.json_api:
            return self._plain_listing()
        both = settings.two_operators_count
        return query.read(self._asked.query, both_count=both, signs=settings.release < (6, 1))

    def _plain_listing(self) -> Listing:
        """The plain dialect: `page`, `limit`, `sort` and filters by name; nothing in brackets."""
        result = Listing()
        for parameter in query.parameters(self._asked.query):
            if parameter.name in ("page", "limit") and parameter.value.isdigit():
                setattr(result, "page" if parameter.name == "page" else "size", int(parameter.value))
            elif parameter.name == "sort":
                result.sort = tuple(parameter.value.split(","))
            elif "[" in parameter.name or parameter.name == "include":
                result.others.append(parameter)
            else:
                condition = query.Condition(parameter.name, parameter.sign, parameter.value, parameter.name)
                result.conditions.append(condition)
        result.others.sort(key=lambda parameter: parameter.name)
        return result

    def _renderer(self, asked: Listing | None = None) -> Renderer:
        links = "noHateoas" not in self._asked.wishes
        fields = asked.fields if asked else {}
        return Renderer(self._state, self._user, self._base, fields, links)

    def _collection(self, resource: Resource) -> Answer:
        method = self._asked.method
        if method == "GET":
            return self._list(resource, None, f"{self._base}/{resource.name}")
        if method not in resource.list_methods.split(", "):
            raise MethodRefused(resource.list_methods)
        if method == "POST":
            return self._create(resource)
        if method == "DELETE":
            return self._delete_list(resource)
        return async_operations.accept(self._state, self._user, self._asked, resource, self._renderer())

    def _list(self, resource: Resource, within: list[Any] | None, address: str) -> Answer:
        asked = self._listing()
        selected = listing.select(self._state, self._user, resource, asked, within)
        renderer = self._renderer(asked)
        documents = [renderer.document(resource, record) for record in selected.records]
        headers = {}
        if "totalCount" in self._asked.wishes:
            headers["X-Include-Total-Count"] = str(selected.total)
        if not self._asked.json_api:
            return Answer(200, [flat(each) for each in documents], headers, JSON)
        body: dict[str, Any] = {"data": documents}
        included = renderer.included(resource, selected.records, asked.include)
        if included:
            body["included"] = included
        if renderer.links:
            body["links"] = self._page_links(address, asked.page, more=selected.more)
        return Answer(200, body, headers)

    def _page_links(self, address: str, page: int, *, more: bool) -> dict[str, str]:
        links = {"self": address}
        text = self._asked.query

        def to(number: int | None, *, onward: bool = False) -> str:
            joined = query.rebuilt(text, number, onward=onward)
            return f"{address}?{joined}" if joined else address

        if page > 1:
            links["first"] = to(None)
            links["prev"] = to(page - 1 if page > 2 else None)
        if more:
            links["next"] = to(page + 1, onward=True)
        return links

    def _one(self, resource: Resource, record: Any, asked: Listing) -> Answer:
        if asked.conditions or asked.others:
            names = [each.parameter for each in asked.conditions] + [each.name for each in asked.others]
            raise Refused(*(query.unsupported(name) for name in names))
        renderer = self._renderer(asked)
        document = renderer.document(resource, record)
        if not self._asked.json_api:
            return Answer(200, flat(document), content_type=JSON)
        body: dict[str, Any] = {"data": document}
        included = renderer.included(resource, [record], asked.include)
        if included:
            body["included"] = included
        if renderer.links:
            body["links"] = {"self": f"{self._base}/{resource.name}"}
        return Answer(200, body)

    def _item(self, resource: Resource, identifier: str) -> Answer:
        method = self._asked.method
        if method not in resource.item_methods.split(", "):
            raise MethodRefused(resource.item_methods)
        if method == "GET":
            record = writes.record_for(self._state, self._user, resource, identifier, "view")
            return self._one(resource, record, self._listing())
        if method == "DELETE":
            record = writes.record_for(self._state, self._user, resource, identifier, "delete")
            writes.delete(self._state, self._user, record)
            return _done()
        return self._update(resource, identifier)

    def _subresource(self, resource: Resource, identifier: str, name: str) -> Answer:
        relation = resource.relations.get(name)
        if relation is None:
            raise _no_subresource()
        record = self._parent(resource, identifier)
        if self._asked.method != "GET":
            raise MethodRefused("OPTIONS, GET")
        renderer = self._renderer(self._listing())
        linkage = renderer.linkage(relation, record)
        address = f"{self._base}/{resource.name}/{identifier}/{name}"
        links = {"links": {"self": address}} if renderer.links else {}
        if not isinstance(linkage, list):
            target = schema.resource_named(self._state, linkage["type"]) if linkage else None
            other = find(self._state, linkage["type"], linkage["id"]) if linkage else None
            shown = renderer.document(target, other) if target is not None and other is not None else None
            return Answer(200, {"data": shown, **links})
        kinds = {each["type"] for each in linkage}
        target = schema.resource_named(self._state, next(iter(kinds))) if len(kinds) == 1 else None
        if target is not None and name != "activityTargets":
            read = relation.read(self._state, record)
            return self._list(target, [identifier for _, identifier in read], address)
        return Answer(200, {"data": self._mixed(renderer, linkage), **links})

    def _mixed(self, renderer: Renderer, linkage: list[dict[str, str]]) -> list[dict[str, Any]]:
        shown = []
        for each in linkage:
            target = schema.resource_named(self._state, each["type"])
            other = find(self._state, each["type"], each["id"])
            if target is not None and other is not None:
                shown.append(renderer.document(target, other))
        return shown

    def _parent(self, resource: Resource, identifier: str, action: str = "view") -> Any:
        try:
            return writes.record_for(self._state, self._user, resource, identifier, action)
        except Refused as refused:
            if refused.status == 403:
                raise denied("No access to the parent entity.") from None
            raise

    # writing

    def _create(self, resource: Resource) -> Answer:
        state, user = self._state, self._user
        if resource.entity and state.level(user, resource.entity, "create") == "none":
            raise denied(writes.TYPE_DENIED)
        self._no_parameters()
        document = requests_in.read(self._asked, resource.name, None)
        saved = writes.create(state, user, resource, document.data, document.included)
        answer = self._written(resource, saved, 201)
        answer.headers["Location"] = f"{self._base}/{resource.name}/{saved.record.id}"
        return answer

    def _update(self, resource: Resource, identifier: str) -> Answer:
        self._no_parameters()
        state, user = self._state, self._user
        if resource.entity and state.level(user, resource.entity, "edit") == "none":
            raise denied(writes.TYPE_DENIED)
        document = requests_in.read(self._asked, resource.name, identifier)
        record = writes.record_for(state, user, resource, identifier, "edit")
        saved = writes.update(state, user, record, document.data, document.included)
        return self._written(resource, saved, 200)

    def _no_parameters(self) -> None:
        found = query.parameters(self._asked.query)
        if found:
            raise Refused(*(query.unsupported(each.name) for each in found))

    def _written(self, resource: Resource, saved: writes.Saved, status: int) -> Answer:
        renderer = self._renderer()
        document = renderer.document(resource, saved.record)
        if not self._asked.json_api:
            return Answer(status, flat(document), content_type=JSON)
        body: dict[str, Any] = {"data": document}
        included = []
        for number, key in saved.included:
            shown = renderer.document(ADDRESSES, self._state.addresses.get(number))
            known = {"includeId": int(key) if key.isdigit() else key}
            included.append({"type": shown.pop("type"), "id": shown.pop("id"), "meta": known, **shown})
        if included:
            body["included"] = included
        if renderer.links:
            body["links"] = {"self": f"{self._base}/{resource.name}"}
        return Answer(status, body)

    def _delete_list(self, resource: Resource) -> Answer:
        asked = self._listing()
        if not asked.conditions:
            raise Refused(Problem(400, "filter constraint", "At least one filter must be provided."))
        asked.size = DELETE_AT_ONCE
        selected = listing.select(self._state, self._user, resource, asked, None)
        deleted = 0
        for record in selected.records:
            owner = schema.owner_of(self._state, resource, record)
            if self._state.may(self._user, str(resource.entity), "delete", owner):
                writes.delete(self._state, self._user, record)
                deleted += 1
        answer = _done()
        if "totalCount" in self._asked.wishes:
            answer.headers["X-Include-Total-Count"] = str(selected.total)
        if "deletedCount" in self._asked.wishes:
            answer.headers["X-Include-Deleted-Count"] = str(deleted)
        return answer

    def _relationship(self, resource: Resource, identifier: str, name: str) -> Answer:
        relation = resource.relations.get(name)
        if relation is None:
            raise Refused(Problem(404, "relationship constraint", "Unsupported subresource."))
        method = self._asked.method
        allowed = ("PATCH", "POST", "DELETE") if relation.many else ("PATCH",)
        if method == "GET":
            record = self._parent(resource, identifier)
            address = f"{self._base}/{resource.name}/{identifier}"
            links = {"self": f"{address}/relationships/{name}", "related": f"{address}/{name}"}
            renderer = self._renderer()
            shown = {"links": links} if renderer.links else {}
            return Answer(200, {"data": renderer.linkage(relation, record), **shown})
        if not relation.writable or method not in allowed:
            listed = ", ".join(("OPTIONS", "GET", *(allowed if relation.writable else ())))
            raise MethodRefused(listed)
        record = self._parent(resource, identifier, "edit")
        linkage = requests_in.linkage_of(self._asked)
        if method != "PATCH":
            present = self._renderer().linkage(relation, record)
            kept = [each for each in present if each not in linkage]
            linkage = kept + linkage if method == "POST" else kept
        data = {"relationships": {name: {"data": linkage}}}
        try:
            writes.update(self._state, self._user, record, data)
        except Refused as refused:
            bare = (Problem(each.status, each.title, each.detail) for each in refused.problems)
            raise Refused(*bare) from None
        return _done()

    # one of a kind

    def _profile(self, rest: list[str]) -> Answer:
        if rest or self._asked.method != "GET":
            raise MethodRefused("OPTIONS, GET")
        if self._state.level(self._user, "user") == "none":
            raise denied(writes.TYPE_DENIED)
        asked = self._listing()
        renderer = self._renderer(asked)
        document = renderer.profile(self._user)
        if not self._asked.json_api:
            return Answer(200, flat(document), content_type=JSON)
        body: dict[str, Any] = {"data": document}
        included = renderer.included(schema.PROFILE, [self._user], asked.include)
        if included:
            body["included"] = included
        return Answer(200, body)

    def _option(self, rest: list[str]) -> Answer:
        if len(rest) != 1 or self._asked.method != "GET":
            raise MethodRefused("OPTIONS, GET")
        found = option(self._state, self._user, rest[0])
        if found is None:
            raise not_found()
        document: dict[str, Any] = {"type": "configurationoptions", "id": rest[0]}
        if "noHateoas" not in self._asked.wishes:
            address = f"{self._base}/configurationoptions"
            document["links"] = {"self": f"{address}/{rest[0]}"}
            return Answer(200, {"data": document | {"attributes": found}, "links": {"self": address}})
        return Answer(200, {"data": document | {"attributes": found}})

    def _search(self, rest: list[str]) -> Answer:
        if rest or self._asked.method != "GET":
            raise MethodRefused("OPTIONS, GET")
        asked = self._listing()
        rows, more = search.found(self._state, self._user, asked)
        links = "noHateoas" not in self._asked.wishes
        body: dict[str, Any] = {"data": [search.document(row, self._base if links else None) for row in rows]}
        if links:
            body["links"] = self._page_links(f"{self._base}/search", asked.page, more=more)
        return Answer(200, body)

    def _operation(self, rest: list[str]) -> Answer:
        if not rest or self._asked.method != "GET":
            return Answer(404)
        record = writes.record_for(self._state, self._user, schema.OPERATIONS, rest[0], "view")
        if rest[1:] == ["errors"]:
            links = f"{self._base}/asyncoperations/{rest[0]}/errors"
            return Answer(200, async_operations.errors_of(record, links, self._base))
        async_operations.polled(self._state, record)
        answer = self._one(schema.OPERATIONS, record, self._listing())
        if isinstance(answer.body, dict):
            answer.body.pop("links", None)
        async_operations.after_poll(self._state, record)
        return answer


def _no_subresource() -> Refused:
    return Refused(Problem(404, "relationship constraint", "Unsupported subresource."))


def _done() -> Answer:
    return Answer(204, content_type=None)


def allowed_methods(state: OroState, parts: list[str]) -> str:
    """The Allow header of an OPTIONS request."""
    resource = schema.resource_named(state, parts[0]) if parts else None
    if resource is None or len(parts) > 2:
        return "OPTIONS, GET"
    return resource.item_methods if len(parts) == 2 else resource.list_methods
