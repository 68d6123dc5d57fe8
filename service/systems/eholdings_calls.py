"""The calls of mod-kb-ebsco-java's /eholdings/resources, each judged by itself.

Owns paths, bodies and media types, and which answers are final. What a sequence of calls means is in `eholdings`.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import orjson

from service.domain.answers import Denial, Finding, failed
from service.domain.codes import Code
from service.domain.jsonvalue import JsonObject, JsonValue
from service.engine.ports import MayLeave, freely
from service.systems.eholdings_overlay import Resource, read_resource
from service.systems.folio import FolioGateway
from service.systems.http import Reply, path_of
from service.systems.trouble import CallResult, Trouble, mapping_of, trouble_of, unreadable

BULK_FETCH_LIMIT: Final = 20
"""mod-kb-ebsco-java: POST /eholdings/resources/bulk/fetch refuses more ids."""

_RESOURCES: Final = "/eholdings/resources"
_MEDIA_TYPE: Final = "application/vnd.api+json"
_MAX_TAGS_NAME_CHARACTERS: Final = 200

Decision: TypeAlias = Finding | Trouble


@dataclass(frozen=True, slots=True)
class BulkFetched:
    """What bulk/fetch gave: in no particular order, up to a day old, and without selection, url, embargo and tags.
    `failed` ids come without a reason."""

    resources: tuple[JsonObject, ...]
    failed: tuple[str, ...]


@dataclass(slots=True, eq=False)
class EholdingsCalls:
    """The calls as one tenant, for one attempt. Each gives a `Reply` of 2xx (or what was read from it), a failed
    finding for a final refusal, or trouble."""

    gateway: FolioGateway
    tenant: str
    traceparent: str | None
    read_seconds: float
    may_leave: MayLeave = freely

    def get(self, resource_id: str) -> Coroutine[None, None, Reply | Decision]:
        """GET of the resource, as it is."""
        return self._send("get", "GET", _path_of(resource_id), changes=False)

    async def read(self, resource_id: str) -> Resource | Decision:
        """GET of the resource, read. A finding's status tells a 404."""
        reply = await self.get(resource_id)
        if not isinstance(reply, Reply):
            return reply
        return read_resource(reply.json()) or unreadable(reply, self.gateway.system, changes=False)

    def put(self, resource_id: str, attributes: JsonObject) -> Coroutine[None, None, Reply | Decision]:
        """PUT of attributes. Trouble with status 500 may also mean that the package has lost the title."""
        content: JsonValue = {"data": {"type": "resources", "attributes": attributes}}
        return self._send("put", "PUT", _path_of(resource_id), content)

    def saved(self, operation: str) -> None:
        """A call of this name was not needed: what it would have written is there, or another call has done for it."""
        self.gateway.observer.call_saved(self.gateway.system, operation)

    def sent_together(self, updates: int) -> None:
        """So many updates of the resource have shared their calls."""
        self.gateway.observer.batch_sent(self.gateway.system, updates)

    def post(self, package_id: str, title_id: str, url: str | None) -> Coroutine[None, None, Reply | Decision]:
        """POST: the title becomes part of the custom package."""
        attributes: dict[str, JsonValue] = {"packageId": package_id, "titleId": title_id}
        if url:
            attributes["url"] = url
        content: JsonValue = {"data": {"type": "resources", "attributes": attributes}}
        return self._send("post", "POST", _RESOURCES, content)

    def delete(self, resource_id: str) -> Coroutine[None, None, Reply | Decision]:
        """DELETE: the title leaves the custom package. Trouble with status 500: as for `put`."""
        return self._send("delete", "DELETE", _path_of(resource_id))

    def put_tags(self, resource_id: str, name: str, tags: tuple[str, ...]) -> Coroutine[None, None, Reply | Decision]:
        """PUT of the tags, which needs the resource's name with them."""
        labels: JsonValue = {"tagList": list(dict.fromkeys(tags))}
        attributes: JsonValue = {"name": (name or resource_id)[:_MAX_TAGS_NAME_CHARACTERS], "tags": labels}
        content: JsonValue = {"data": {"type": "tags", "attributes": attributes}}
        return self._send("put-tags", "PUT", _path_of(resource_id) + "/tags", content)

    async def fetch_many(self, ids: Sequence[str]) -> BulkFetched | Decision:
        """Up to `BULK_FETCH_LIMIT` resources by one call. Raises ValueError for more ids. Never fit for checking what a
        change did."""
        unique: list[JsonValue] = list(dict.fromkeys(ids))
        if len(unique) > BULK_FETCH_LIMIT:
            raise ValueError(f"bulk/fetch takes at most {BULK_FETCH_LIMIT} ids, not {len(unique)}")
        path = _RESOURCES + "/bulk/fetch"
        reply = await self._send("bulk-fetch", "POST", path, {"resources": unique}, changes=False)
        if not isinstance(reply, Reply):
            return reply
        content = mapping_of(reply) or {}
        included = content.get("included")
        if not isinstance(included, list):
            return unreadable(reply, self.gateway.system, changes=False)
        found = tuple(entry for entry in included if isinstance(entry, Mapping))
        return BulkFetched(found, _failed_ids(content.get("meta")))

    async def _send(
        self, operation: str, method: str, path: str, content: JsonValue = None, *, changes: bool = True
    ) -> Reply | Decision:
        result = await self.gateway.send(
            self.tenant,
            operation,
            method,
            path,
            read_seconds=self.read_seconds,
            body=None if content is None else orjson.dumps(content),
            media_type=_MEDIA_TYPE,
            traceparent=self.traceparent,
            may_leave=self.may_leave,
        )
        return _judged(result, changes=changes)


def _judged(result: CallResult, *, changes: bool) -> Reply | Decision:
    """A 429 without Retry-After is the knowledge base's daily quota, which no back-off of seconds outlasts."""
    trouble = trouble_of(result, changes=changes)
    if trouble is not None:
        spent = trouble.status == 429 and trouble.retry_after_seconds is None
        return replace(trouble, denial=Denial.QUOTA) if spent else trouble
    if not isinstance(result, Reply):
        return Trouble(result.message, uncertain=changes)
    return failed(Code.REFUSED, result.status, result.words) if result.status >= 400 else result


def _path_of(resource_id: str) -> str:
    return _RESOURCES + path_of(resource_id)


def _failed_ids(meta: JsonValue) -> tuple[str, ...]:
    match meta:
        case {"failed": {"resources": list() as ids}}:
            return tuple(entry for entry in ids if isinstance(entry, str))
        case _:
            return ()
