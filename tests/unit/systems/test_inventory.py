"""Inventory steps: sources by name, stale sources resolved anew, deletions with a body."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
import pytest

from service.domain.answers import Answer, Denied, Finding, Settled, Stumbled, Verdict, succeeded
from service.domain.codes import Code
from service.domain.jsonvalue import JsonObject, JsonValue
from service.domain.operations import (
    DeleteRecordSet,
    DeleteSharedRecordSet,
    InventoryStep,
    UpsertRecordSet,
    UpsertSharedRecordSet,
)
from service.systems.holdings_sources import HoldingsSources
from service.systems.inventory import Inventory
from service.systems.timeouts import Timeouts
from tests.unit.systems.scripted import TENANT, FakeTime, Scripted, ScriptedTransport, answer, context, gateway
from tests.unit.systems.test_holdings_sources import found

BATCH = "PUT /base/inventory-batch-upsert-hrid"
LOOK_UP = "GET /base/holdings-sources?query=name%3D%3D%22Mine%22&limit=10"
DONE = {"metrics": {"INSTANCE": {"CREATE": {"COMPLETED": 1}}}}
NO_SOURCE = "Cannot set holdings_record.sourceid = s1 because it does not exist in holdings_records_source.id."
STALE = {
    "metrics": {"INSTANCE": {"CREATE": {"COMPLETED": 1}}, "HOLDINGS_RECORD": {"CREATE": {"FAILED": 1}}},
    "errors": [{"statusCode": 422, "message": {"errors": [{"message": NO_SOURCE}]}}],
}


def upsert(*names: str) -> UpsertRecordSet:
    """A set with a holdings record of each source name, and one that has a source id."""
    records: list[JsonValue] = [{"hrid": f"ho-{name}", "sourceName": name, "items": []} for name in names]
    record_set: JsonObject = {
        "instance": {"hrid": "in1"},
        "holdingsRecords": [*records, {"hrid": "ho0", "sourceId": "given"}],
    }
    return UpsertRecordSet(TENANT, "in1", record_set, frozenset(names))


def inventory_of(*answers: Scripted, create_missing: bool = False) -> tuple[Inventory, ScriptedTransport]:
    transport = ScriptedTransport(*answers)
    folio = gateway(transport, "inventory")
    sources = HoldingsSources(folio, read_seconds=15.0, create_missing=create_missing, clocks=FakeTime().clocks)
    return Inventory(folio, sources, Timeouts()), transport


async def carry_out(
    step: InventoryStep, *answers: Scripted, uncertain: bool = False, create_missing: bool = False
) -> tuple[Answer, ScriptedTransport]:
    inventory, transport = inventory_of(*answers, create_missing=create_missing)
    result = await inventory.attempt(step, context(uncertain=uncertain))
    assert transport.answers == [], "a call that was expected was not made"
    return result, transport


def source(identifier: str = "s1") -> httpx.Response:
    return found((identifier, "Mine", "local"))


async def test_an_upsert_goes_out_as_it_is_when_it_names_no_source() -> None:
    result, transport = await carry_out(upsert(), answer(200, DONE))

    assert result == Settled((succeeded(200),))
    assert transport.calls == [BATCH]
    assert transport.body(0) == {"inventoryRecordSets": [upsert().record_set]}


async def test_source_names_leave_as_source_ids() -> None:
    step = upsert("Mine")
    _, transport = await carry_out(step, source(), answer(200, DONE))

    assert transport.calls == [LOOK_UP, BATCH]
    assert transport.body(1)["inventoryRecordSets"][0]["holdingsRecords"] == [
        {"hrid": "ho-Mine", "sourceId": "s1", "items": []},
        {"hrid": "ho0", "sourceId": "given"},
    ]
    assert step == upsert("Mine"), "the event's own data was changed"


async def test_a_source_that_does_not_exist_is_the_events_fault_and_named() -> None:
    result, transport = await carry_out(upsert("Other", "Mine"), found())

    assert isinstance(result, Settled)
    [finding] = result.findings
    assert (finding.code, finding.status) == (Code.INVALID_DATA, None)
    assert str(finding.message).startswith("data.inventory.holdingsRecords[1].sourceName: ")
    assert "'Mine'" in str(finding.message)
    assert transport.calls == [LOOK_UP]


async def test_a_source_that_does_not_exist_is_created_when_that_is_allowed() -> None:
    created = answer(201, {"id": "s5", "name": "Mine"})
    _, transport = await carry_out(upsert("Mine"), found(), created, answer(200, DONE), create_missing=True)

    assert transport.body(2)["inventoryRecordSets"][0]["holdingsRecords"][0]["sourceId"] == "s5"


async def test_a_look_up_that_stumbles_leaves_the_upsert_unsent() -> None:
    result, _ = await carry_out(upsert("Mine"), answer(503, "down"))

    assert isinstance(result, Stumbled)
    assert (result.status, result.uncertain, result.remaining) == (503, False, upsert("Mine"))


async def test_a_look_up_that_is_denied_denies_the_step() -> None:
    result, _ = await carry_out(upsert("Mine"), answer(403, "no permission"))

    assert isinstance(result, Denied)


async def test_a_source_that_is_gone_is_resolved_anew_once() -> None:
    result, transport = await carry_out(
        upsert("Mine"), source("s1"), answer(207, STALE), source("s2"), answer(200, DONE)
    )

    assert result == Settled((succeeded(200),))
    assert transport.body(3)["inventoryRecordSets"][0]["holdingsRecords"][0]["sourceId"] == "s2"


async def test_a_source_that_stays_gone_is_not_resolved_for_ever() -> None:
    result, _ = await carry_out(upsert("Mine"), source(), answer(207, STALE), source(), answer(207, STALE))

    assert isinstance(result, Stumbled)


async def test_a_missing_source_that_was_given_by_id_is_not_looked_up() -> None:
    result, transport = await carry_out(upsert(), answer(207, STALE))

    assert isinstance(result, Stumbled)
    assert transport.calls == [BATCH]


SHARED: JsonObject = {"instance": {"title": "T"}, "holdingsRecords": [{"sourceName": "Mine"}], "processing": {}}


async def test_an_upsert_into_the_shared_index_is_a_call_of_its_own() -> None:
    step = UpsertSharedRecordSet(TENANT, "i/l", SHARED, frozenset({"Mine"}))
    result, transport = await carry_out(step, source(), answer(200, DONE))

    assert result == Settled((succeeded(200),))
    assert transport.calls[1] == "PUT /base/shared-inventory-upsert-matchkey"
    assert transport.body(1) == {"instance": {"title": "T"}, "holdingsRecords": [{"sourceId": "s1"}], "processing": {}}


async def test_a_deletion_carries_a_body() -> None:
    deleted = {"metrics": {"INSTANCE": {"DELETE": {"COMPLETED": 1}}}}
    result, transport = await carry_out(DeleteRecordSet(TENANT, "in1", {"item": {}}), answer(200, deleted))

    assert result == Settled((succeeded(200),))
    assert transport.calls == ["DELETE /base/inventory-upsert-hrid"]
    assert transport.body(0) == {"hrid": "in1", "processing": {"item": {}}}
    assert transport.requests[0].headers["Content-Type"] == "application/json"


async def test_a_deletion_without_instructions_names_only_the_hrid() -> None:
    _, transport = await carry_out(DeleteRecordSet(TENANT, "in1", None), answer(404, "Instance to delete not found"))

    assert transport.body(0) == {"hrid": "in1"}


@pytest.mark.parametrize("uncertain", [False, True])
async def test_what_is_not_there_needs_no_deletion(uncertain: bool) -> None:
    result, _ = await carry_out(
        DeleteRecordSet(TENANT, "in1", None), answer(404, "Instance to delete not found"), uncertain=uncertain
    )

    assert isinstance(result, Settled)
    assert result.findings[0].verdict is (Verdict.SUCCEEDED if uncertain else Verdict.UNCHANGED)


async def test_a_deletion_from_the_shared_index_sends_the_identifiers() -> None:
    body: JsonObject = {"institutionId": "i", "oaiIdentifier": "o", "identifierTypeId": "t"}
    result, transport = await carry_out(DeleteSharedRecordSet(TENANT, "i/o", body), answer(200, DONE))

    assert result == Settled((succeeded(200),))
    assert transport.calls == ["DELETE /base/shared-inventory-upsert-matchkey"]
    assert transport.body(0) == body


async def test_a_record_set_can_be_looked_at_as_it_is() -> None:
    inventory, transport = inventory_of(
        answer(200, {"instance": {}}), answer(404, "Instance with ID a/b not found."), answer(200, "?"), answer(503)
    )

    seen = [await inventory.fetch(TENANT, "a/b") for _ in range(4)]

    assert [isinstance(one, Mapping) for one in seen] == [True, False, False, False]
    assert isinstance(seen[1], Finding)
    assert transport.calls[0] == "GET /base/inventory-upsert-hrid/fetch/a%2Fb"
