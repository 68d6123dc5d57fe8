"""FOLIO's holdings sources as the system has them, for people to look at (mod-inventory-storage).

Changes nothing and remembers nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from service.domain.answers import Finding, failed
from service.domain.codes import Code
from service.domain.jsonvalue import JsonValue
from service.systems.folio import FolioGateway
from service.systems.holdings_sources import escaped
from service.systems.http import Reply, query_of
from service.systems.trouble import Trouble, mapping_of, trouble_of, unreadable

PAGE: Final = 500
"""Sources asked for at a time; the system's own usual number is 10."""

Decision: TypeAlias = Finding | Trouble


class SourceReader:
    """Reads holdings sources, as any tenant."""

    def __init__(self, gateway: FolioGateway, read_seconds: float) -> None:
        self._gateway = gateway
        self._read_seconds = read_seconds

    async def read(self, tenant: str, name: str | None = None) -> list[JsonValue] | Decision:
        """The sources of this name (case and accents make no difference to the system), or all of them by name."""
        query = f'name=="{escaped(name)}"' if name is not None else 'name=="*" sortby name'
        found: list[JsonValue] = []
        while True:
            page = await self._page(tenant, query, len(found))
            if not isinstance(page, list):
                return page
            found += page
            if len(page) < PAGE:
                return found

    async def _page(self, tenant: str, query: str, offset: int) -> list[JsonValue] | Decision:
        path = "/holdings-sources" + query_of({"query": query, "limit": str(PAGE), "offset": str(offset)})
        result = await self._gateway.send(tenant, "look-up", "GET", path, read_seconds=self._read_seconds)
        trouble = trouble_of(result, changes=False)
        if trouble is not None or not isinstance(result, Reply):
            return trouble or Trouble(f"{self._gateway.system}: no answer")
        if result.status >= 400:
            return failed(Code.REFUSED, result.status, result.words)
        sources = (mapping_of(result) or {}).get("holdingsRecordsSources")
        if not isinstance(sources, list) or not all(isinstance(source, Mapping) for source in sources):
            return unreadable(result, self._gateway.system, changes=False)
        return list(sources)
