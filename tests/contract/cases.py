"""One case for each thing that a system can be asked: what it holds, what is asked, and which of the calls decides."""

from __future__ import annotations

from dataclasses import dataclass

from service.domain.operations import (
    AddResource,
    Asked,
    DeleteHoldingsSource,
    DeleteRecordSet,
    DeleteSharedRecordSet,
    DeselectResource,
    ExportHoldings,
    RemoveResource,
    Step,
    Transfer,
    TransferEntry,
    UpdateResource,
    UpsertHoldingsSource,
    UpsertRecordSet,
    UpsertSharedRecordSet,
)
from service.sandbox.eholdings import eholdings_state, resource
from service.sandbox.exchange import JsonValue
from service.sandbox.scsb.seeds import bib, holdings, institution, item, scsb_state
from tests.builders import inventory

TENANT = "diku"
RESOURCE = "22-1-2"
CUSTOM_TITLE = "22-9-3"
INSTITUTION_ID = "11111111-2222-4333-8444-555555555555"
IDENTIFIER_TYPE_ID = "22222222-2222-4333-8444-555555555555"


@dataclass(frozen=True, slots=True)
class Case:
    """`method` and `path_contains` pick the call whose answer decides the step."""

    name: str
    step: Step
    system: str
    method: str
    path_contains: str = "/"
    needs: tuple[Step, ...] = ()
    """Steps that bring about the state that the case starts from."""
    success_status: int = 200
    has_body: bool = True
    """Whether a success is told by a body that must be read."""
    decided_status: int = 200
    """Of the call that decides, when it succeeds with a body."""
    has_key: bool = False
    """Whether the system takes a key that is in the settings, and no token of FOLIO's."""


def seed() -> dict[str, dict[str, JsonValue]]:
    """What the simulated systems hold at the start."""
    return {
        "eholdings": eholdings_state(
            resource(RESOURCE, coverageStatement="old"),
            resource(CUSTOM_TITLE, isPackageCustom=True, isTitleCustom=True),
            packages={"22-9": {"isCustom": True}},
            titles={"77": {}},
        ),
        "scsb": scsb_state(PUL=institution(bib("1", holdings("h1", item("i1"), item("i2"))), bib("2", holdings("h2")))),
    }


def item_transfer(*items: str) -> Transfer:
    """Items of holdings record h1 move to h2."""
    return Transfer("PUL", (), tuple(item_entry(name) for name in items))


def item_entry(name: str) -> TransferEntry:
    source = {"owningInstitutionBibId": "1", "owningInstitutionHoldingsId": "h1", "owningInstitutionItemId": name}
    destination = {**source, "owningInstitutionBibId": "2", "owningInstitutionHoldingsId": "h2"}
    return TransferEntry(Asked("scsb", "transfer-item", f"1/h1/{name}"), source, destination)


_UPSERT = UpsertRecordSet(TENANT, "in1", inventory.small_set(), frozenset())
_SHARED_INSTANCE: dict[str, JsonValue] = {
    "instance": inventory.instance(hrid=..., identifiers=[{"identifierTypeId": IDENTIFIER_TYPE_ID, "value": "l1"}]),
    "processing": {
        "institutionId": INSTITUTION_ID,
        "localIdentifier": "l1",
        "identifierTypeId": IDENTIFIER_TYPE_ID,
    },
}
_UPSERT_SHARED = UpsertSharedRecordSet(TENANT, f"{INSTITUTION_ID}/l1", _SHARED_INSTANCE, frozenset())

CASES = (
    Case("eholdings update", UpdateResource(TENANT, RESOURCE, {"coverageStatement": "new"}, None), "eholdings", "PUT"),
    Case("eholdings tags", UpdateResource(TENANT, RESOURCE, {}, ("new",)), "eholdings", "PUT", "/tags", has_body=False),
    Case("eholdings deselect", DeselectResource(TENANT, RESOURCE), "eholdings", "PUT"),
    Case("eholdings add", AddResource(TENANT, "22-9", "77", None, {}, None), "eholdings", "POST"),
    Case(
        "eholdings remove", RemoveResource(TENANT, CUSTOM_TITLE), "eholdings", "DELETE",
        success_status=204, has_body=False,
    ),
    Case("inventory upsert", _UPSERT, "inventory", "PUT"),
    Case("inventory delete", DeleteRecordSet(TENANT, "in1", None), "inventory", "DELETE", needs=(_UPSERT,)),
    Case("inventory upsert-shared", _UPSERT_SHARED, "inventory", "PUT"),
    Case(
        "inventory delete-shared",
        DeleteSharedRecordSet(
            TENANT,
            f"{INSTITUTION_ID}/l1",
            {"institutionId": INSTITUTION_ID, "localIdentifier": "l1", "identifierTypeId": IDENTIFIER_TYPE_ID},
        ),
        "inventory",
        "DELETE",
        needs=(_UPSERT_SHARED,),
    ),
    Case(
        "holdings-sources upsert", UpsertHoldingsSource(TENANT, "Mine", "local"), "holdings-sources", "POST",
        success_status=201, has_body=False,
    ),
    Case(
        "holdings-sources change", UpsertHoldingsSource(TENANT, "Mine", "consortium"), "holdings-sources", "PUT",
        needs=(UpsertHoldingsSource(TENANT, "Mine", "local"),), success_status=204, has_body=False,
    ),
    Case(
        "holdings-sources delete", DeleteHoldingsSource(TENANT, "Mine"), "holdings-sources", "DELETE",
        needs=(UpsertHoldingsSource(TENANT, "Mine", "local"),), success_status=204, has_body=False,
    ),
    Case(
        "holdingsiq export", ExportHoldings("apidemo", "KBART2", "CSV", None), "holdingsiq", "POST",
        decided_status=202, has_key=True,
    ),
    Case("scsb transfer", item_transfer("i1"), "scsb", "POST", has_key=True),
)  # fmt: skip
