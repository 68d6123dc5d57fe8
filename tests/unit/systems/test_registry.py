"""All systems behind one door."""

from __future__ import annotations

from typing import get_args

import httpx
import pytest

from service.domain.answers import Settled
from service.domain.codes import Code
from service.domain.operations import (
    DeleteHoldingsSource,
    DeleteRecordSet,
    DeselectResource,
    EholdingsStep,
    ExportHoldings,
    HoldingsSourceStep,
    InventoryStep,
    RemoveResource,
    Step,
    UpsertHoldingsSource,
)
from service.engine.ports import Systems
from service.systems.registry import ConfiguredSystems, SystemsConfig
from service.systems.tokens import StaticToken
from tests.contract.cases import CASES
from tests.fakes.journal import FakeJournal
from tests.unit.systems.scripted import TENANT, Scripted, ScriptedTransport, answer, context
from tests.unit.systems.test_scsb_answers import transfer

FOLIO_STEPS: tuple[Step, ...] = (
    DeselectResource(TENANT, "1-2-3"),
    DeleteRecordSet(TENANT, "in1", None),
    UpsertHoldingsSource(TENANT, "Mine", "local"),
)


EXPORT = ExportHoldings("apidemo", None, "CSV", "e-1")


def systems_of(
    *answers: Scripted, folio: bool = True, scsb: bool = True, holdingsiq: bool = True
) -> tuple[ConfiguredSystems, ScriptedTransport]:
    transport = ScriptedTransport(*answers)
    config = SystemsConfig(
        folio_url="http://folio.example/okapi/" if folio else None,
        tenants={TENANT: StaticToken("t")},
        scsb_url="http://scsb.example" if scsb else None,
        scsb_api_key="hunter2",
        holdingsiq_url="http://holdingsiq.example/base/" if holdingsiq else None,
        holdingsiq_api_key="hunter3",
        user_agent="holdings-relay/1",
    )
    return ConfiguredSystems(config, transport), transport


def test_the_door_is_what_the_engine_needs() -> None:
    systems: Systems = systems_of()[0]

    assert systems.unconfigured(FOLIO_STEPS[0]) is None


@pytest.mark.parametrize("step", FOLIO_STEPS)
def test_without_an_address_folios_steps_are_not_configured(step: Step) -> None:
    finding = systems_of(folio=False)[0].unconfigured(step)

    assert finding is not None
    assert finding.code is Code.SYSTEM_NOT_CONFIGURED


def test_without_an_address_transfers_are_not_configured() -> None:
    finding = systems_of(scsb=False)[0].unconfigured(transfer(items="a"))

    assert finding is not None
    assert (finding.code, finding.message) == (Code.SYSTEM_NOT_CONFIGURED, "scsb has no address in the settings")


def test_a_transfer_needs_no_tenant() -> None:
    assert systems_of(folio=False)[0].unconfigured(transfer(items="a")) is None


def test_without_an_address_exports_are_not_configured() -> None:
    finding = systems_of(holdingsiq=False)[0].unconfigured(EXPORT)

    assert finding is not None
    assert (finding.code, finding.message) == (Code.SYSTEM_NOT_CONFIGURED, "holdingsiq has no address in the settings")


def test_an_export_needs_no_tenant() -> None:
    assert systems_of(folio=False, scsb=False)[0].unconfigured(EXPORT) is None


@pytest.mark.parametrize("tenant", ["", "other"])
def test_a_tenant_without_credentials_is_not_configured(tenant: str) -> None:
    finding = systems_of()[0].unconfigured(RemoveResource(tenant, "1-2-3"))

    assert finding is not None
    assert finding.code is Code.TENANT_NOT_CONFIGURED


async def test_each_step_reaches_its_system() -> None:
    systems, transport = systems_of(
        answer(204), answer(404, "Instance to delete not found"), *(answer(400) for _ in range(3))
    )

    for step in (
        RemoveResource(TENANT, "1-2-3"),
        DeleteRecordSet(TENANT, "in1", None),
        DeleteHoldingsSource(TENANT, "Mine"),
        transfer(items="a"),
        EXPORT,
    ):
        assert isinstance(await systems.attempt(step, context()._replace(journal=FakeJournal())), Settled)

    assert [str(request.url).partition("?")[0] for request in transport.requests] == [
        "http://folio.example/okapi/eholdings/resources/1-2-3",
        "http://folio.example/okapi/inventory-upsert-hrid",
        "http://folio.example/okapi/holdings-sources",
        "http://scsb.example/sharedCollection/transferHoldingsAndItems",
        "http://holdingsiq.example/base/rm/rmaccounts/apidemo/exports/e-1",
    ]
    assert {request.headers["User-Agent"] for request in transport.requests} == {"holdings-relay/1"}


async def test_keys_and_tokens_go_only_where_they_belong() -> None:
    record = {"status": "COMPLETED", "links": [{"rel": "download", "href": "http://files.example/a?b"}]}
    systems, transport = systems_of(answer(204), answer(400), answer(200, record), answer(200, b"title_id\n"))

    await systems.attempt(RemoveResource(TENANT, "1-2-3"), context())
    await systems.attempt(transfer(items="a"), context())
    await systems.attempt(EXPORT, context()._replace(journal=FakeJournal()))

    secrets = {b"X-Okapi-Token": b"t", b"api_key": b"hunter2", b"x-api-key": b"hunter3"}
    sent = [{n: v for n, v in request.headers.raw if n in secrets} for request in transport.requests]
    assert sent == [{name: value} for name, value in secrets.items()] + [{}]


async def test_a_step_that_is_not_configured_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(LookupError):
        await systems_of(scsb=False)[0].attempt(transfer(items="a"), context())


def test_the_contract_suite_has_a_case_for_every_kind_of_step() -> None:
    kinds = {type(case.step) for case in CASES}

    assert kinds == {
        *get_args(EholdingsStep),
        *get_args(InventoryStep),
        *get_args(HoldingsSourceStep),
        type(transfer()),
        ExportHoldings,
    }


async def test_closing_closes_the_transport() -> None:
    closed: list[bool] = []

    class Closing(httpx.AsyncBaseTransport):
        async def aclose(self) -> None:
            closed.append(True)

    await ConfiguredSystems(SystemsConfig(folio_url="http://f", tenants={}), Closing()).aclose()

    assert closed == [True]


def test_keys_stay_out_of_representations() -> None:
    assert "hunter" not in repr(SystemsConfig(scsb_api_key="hunter2", holdingsiq_api_key="hunter3"))
