"""The exports of a HoldingsIQ customer as the system tells of them, for people to look at.

Owns that no link to a file is shown: whoever has one has the file. Changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from service.domain.answers import Finding
from service.domain.jsonvalue import JsonObject, JsonValue
from service.systems.holdingsiq_calls import decided
from service.systems.http import HttpClient, Reply, path_of
from service.systems.trouble import Trouble, mapping_of, unreadable

HIDDEN: Final = "[hidden]"

Decision: TypeAlias = Finding | Trouble


class ExportReader:
    """Reads export records. `http` carries `holdingsiq_headers`."""

    def __init__(self, http: HttpClient, read_seconds: float) -> None:
        self._http = http
        self._read_seconds = read_seconds

    async def list(self, cust_id: str) -> JsonValue | Decision:
        """Every export of the customer, in the form in which the system lists them."""
        reply = await self._get("export-list", path_of("rm", "rmaccounts", cust_id, "exports"))
        if not isinstance(reply, Reply):
            return reply
        content = reply.json()
        if not isinstance(content, Mapping | list):
            return unreadable(reply, self._http.system, changes=False)
        return without_links(content)

    async def read(self, cust_id: str, export_id: str) -> JsonObject | Decision:
        """One export."""
        reply = await self._get("export-read", path_of("rm", "rmaccounts", cust_id, "exports", export_id))
        if not isinstance(reply, Reply):
            return reply
        content = mapping_of(reply)
        if content is None:
            return unreadable(reply, self._http.system, changes=False)
        return {name: without_links(value) for name, value in content.items()}

    async def _get(self, operation: str, path: str) -> Reply | Decision:
        result = await self._http.send(operation, "GET", path, read_seconds=self._read_seconds)
        return decided(result, changes=False)


def without_links(content: JsonValue) -> JsonValue:
    """The same, with `[hidden]` in place of every `href` and of every text that holds an address."""
    match content:
        case str():
            return HIDDEN if "://" in content else content
        case Mapping():
            return {name: HIDDEN if name == "href" else without_links(value) for name, value in content.items()}
        case list():
            return [without_links(entry) for entry in content]
        case _:
            return content
