"""Calls the simulated inventory the way a client does, and reads its answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from service.sandbox.exchange import Call, Reply
from service.sandbox.holdings_sources import HoldingsSources
from service.sandbox.inventory import InventoryUpdate

JSON = (("Content-Type", "application/json"),)


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply with its body decoded; text stays text."""

    status: int
    body: Any
    content_type: str | None

    @property
    def errors(self) -> list[Any]:
        """The error reports of a 207."""
        return list(self.body["errors"])

    @property
    def metrics(self) -> dict[str, int]:
        """The counts that are not zero, as {"ITEM.CREATE.COMPLETED": 1}."""
        return {
            f"{entity}.{transaction}.{outcome}": number
            for entity, transactions in self.body["metrics"].items()
            for transaction, outcomes in transactions.items()
            for outcome, number in outcomes.items()
            if number
        }


class Inventory:
    """One tenant's view of the simulated module."""

    def __init__(self, tenant: str = "diku") -> None:
        self.sources = HoldingsSources()
        self.module = InventoryUpdate(self.sources)
        self.tenant = tenant

    def put(self, record_set: dict[str, Any]) -> Answer:
        """PUT of a single record set."""
        return self.ask("PUT", "/inventory-upsert-hrid", record_set)

    def put_batch(self, *record_sets: dict[str, Any]) -> Answer:
        """PUT of a batch."""
        return self.ask("PUT", "/inventory-batch-upsert-hrid", {"inventoryRecordSets": list(record_sets)})

    def delete(self, hrid: str, **members: Any) -> Answer:
        """DELETE by HRID."""
        return self.ask("DELETE", "/inventory-upsert-hrid", {"hrid": hrid, **members})

    def fetch(self, identifier: str) -> Answer:
        """GET of a record set."""
        return self.ask("GET", f"/inventory-upsert-hrid/fetch/{identifier}")

    def ask(self, method: str, path: str, body: object = None) -> Answer:
        """Any call with a JSON body."""
        content = b"" if body is None else orjson.dumps(body)
        return answered(self.module.handle(Call(method, path, {}, JSON, content, self.tenant)))

    def fail(self, hrid: str, operation: str, status_code: int, **members: Any) -> None:
        """Has storage fail an operation on a record."""
        fault = {"hrid": hrid, "operation": operation, "statusCode": status_code, **members}
        self.module.load({"storageFaults": [fault]})

    def stored(self, hrid: str) -> Any:
        """What is stored of an instance's record set, None when there is no such instance."""
        tenants: Any = self.module.snapshot()["tenants"]
        return tenants.get(self.tenant, {"recordSets": {}})["recordSets"].get(hrid)

    def outline(self, hrid: str) -> dict[str, list[str]] | None:
        """HRIDs of the stored items by HRID of their holdings records."""
        record_set = self.stored(hrid)
        if record_set is None:
            return None
        return {
            holdings["hrid"]: [item["hrid"] for item in holdings["items"]] for holdings in record_set["holdingsRecords"]
        }


def answered(reply: Reply) -> Answer:
    """Decodes a reply; a body that is no JSON stays text, whatever its label says."""
    try:
        body: Any = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        body = reply.body.decode()
    return Answer(reply.status, body, reply.content_type)
