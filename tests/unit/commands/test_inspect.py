"""`inspect`: what the systems hold now, in their own words, and nothing that is secret."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
import yaml
from typer.testing import CliRunner, Result

from service.__main__ import app
from service.commands.console import Exit
from service.sandbox.eholdings import eholdings_state, resource
from service.sandbox.faults import Fault
from service.sandbox.holdingsiq import Plan, customer, holdingsiq_state
from service.sandbox.server import Sandbox
from tests.builders.sandbox import JsonObject
from tests.support.relay import worker_settings

FIRST, SECOND = "22-1-1", "22-1-2"


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as running:
        resources = [resource(f"22-1-{n}", coverageStatement=f"since {1990 + n}") for n in range(1, 26)]
        running.load({"eholdings": eholdings_state(*resources)})
        running.load({"holdingsiq": holdingsiq_state(apidemo=customer(plan=Plan(after_polls=0)))})
        yield running


async def inspect(sandbox: Sandbox, *words: str, **settings: str) -> Result:
    """Runs the command beside the sandbox's event loop."""
    environment = worker_settings("127.0.0.1:1", "", sandbox) | settings
    runner = CliRunner(env={**environment, "COLUMNS": "200"})
    return await asyncio.to_thread(runner.invoke, app, ["inspect", *words])


async def found(sandbox: Sandbox, *words: str) -> Any:
    """What the command found, as JSON."""
    result = await inspect(sandbox, *words, "--format", "json")
    assert result.exit_code == Exit.DONE, result.output
    return orjson.loads(result.stdout)


def methods(sandbox: Sandbox) -> set[str]:
    return {f"{entry.method} {entry.path}" for entry in sandbox.ledger.entries() if entry.system != "login"}


async def test_one_resource_is_read_whole(sandbox: Sandbox) -> None:
    document = await found(sandbox, "eholdings", FIRST)

    assert document["data"]["attributes"]["coverageStatement"] == "since 1991"
    assert document["data"]["attributes"]["isSelected"] is True
    assert methods(sandbox) == {f"GET /eholdings/resources/{FIRST}"}


async def test_the_pretty_form_is_the_same_as_yaml(sandbox: Sandbox) -> None:
    pretty = await inspect(sandbox, "eholdings", FIRST)

    assert yaml.safe_load(pretty.stdout) == await found(sandbox, "eholdings", FIRST)


async def test_many_resources_come_through_bulk_fetch_twenty_at_a_time_and_its_limits_are_said(
    sandbox: Sandbox,
) -> None:
    ids = [f"22-1-{n}" for n in range(1, 26)]

    result = await inspect(sandbox, "eholdings", *ids, *ids, "--format", "json")

    assert result.exit_code == Exit.DONE
    assert "up to a day old; without selection" in result.stderr
    assert "no particular order" in result.stderr
    report = orjson.loads(result.stdout)
    assert {entry["id"] for entry in report["resources"]} == set(ids)
    calls = [entry.path for entry in sandbox.ledger.entries() if entry.system == "eholdings"]
    assert calls == ["/eholdings/resources/bulk/fetch"] * 2


async def test_a_resource_that_bulk_fetch_does_not_find_is_told_and_is_a_failure(sandbox: Sandbox) -> None:
    result = await inspect(sandbox, "eholdings", FIRST, "22-1-999", "--format", "json")

    assert result.exit_code == Exit.FAILED
    report = orjson.loads(result.stdout)
    assert [entry["id"] for entry in report["resources"]] == [FIRST]
    assert report["failed"] == [{"id": "22-1-999", "status": None, "message": None}]


async def test_each_of_many_can_be_read_by_itself_with_the_reason_for_those_that_are_refused(sandbox: Sandbox) -> None:
    result = await inspect(sandbox, "eholdings", SECOND, "22-1-999", FIRST, "--each", "--format", "json")

    assert result.exit_code == Exit.FAILED
    report = orjson.loads(result.stdout)
    assert [document["data"]["id"] for document in report["resources"]] == [SECOND, FIRST]
    [refused] = report["failed"]
    assert (refused["id"], refused["status"]) == ("22-1-999", 404)
    assert "no longer in this package" in refused["message"]


async def test_an_instance_is_shown_with_its_holdings(sandbox: Sandbox) -> None:
    record_set: JsonObject = {
        "instance": {"hrid": "in1", "title": "A title", "source": "test", "instanceTypeId": "t"},
        "holdingsRecords": [],
    }
    sandbox.faults.add(Fault(system="inventory", status=200, body=record_set, content_type="application/json"))

    assert await found(sandbox, "inventory", "in1") == record_set
    assert methods(sandbox) == {"GET /inventory-upsert-hrid/fetch/in1"}


async def test_all_holdings_sources_are_shown_or_those_of_a_name(sandbox: Sandbox) -> None:
    every = await found(sandbox, "holdings-sources")
    one = await found(sandbox, "holdings-sources", "folio")

    assert [source["name"] for source in every] == ["FOLIO", "MARC"]
    assert [source["name"] for source in one] == ["FOLIO"]
    assert {method.split()[0] for method in methods(sandbox)} == {"GET"}


async def test_a_holdings_source_that_does_not_exist_is_told(sandbox: Sandbox) -> None:
    result = await inspect(sandbox, "holdings-sources", 'no"such*')

    assert result.exit_code == Exit.FAILED
    assert 'there is none called no"such*' in result.stderr


async def test_exports_are_shown_without_the_links_to_their_files(sandbox: Sandbox) -> None:
    system: Any = sandbox.systems["holdingsiq"]
    export = system.customer("apidemo").create("COST", "CSV", 0.0)

    listed = await inspect(sandbox, "exports", "apidemo", "--format", "json")
    one = await inspect(sandbox, "exports", "apidemo", export.id)

    assert (listed.exit_code, one.exit_code) == (Exit.DONE, Exit.DONE)
    assert export.id in listed.stdout
    assert yaml.safe_load(one.stdout)["links"] == [{"href": "[hidden]", "rel": "download"}]
    assert "://" not in listed.output + one.output


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("eholdings", "22-1-999"), "HTTP 404: Title is no longer in this package"),
        (("inventory", "none"), "HTTP 404: Instance with ID none not found."),
        (("exports", "apidemo", "none"), "HTTP 404: Export not found"),
    ],
)
async def test_a_refusal_is_told_in_the_systems_own_words(sandbox: Sandbox, words: tuple[str, ...], told: str) -> None:
    result = await inspect(sandbox, *words)

    assert (result.exit_code, result.stdout) == (Exit.FAILED, "")
    assert told in result.stderr


@pytest.mark.parametrize("words", [("eholdings", FIRST), ("eholdings", FIRST, SECOND), ("inventory", "in1")])
async def test_a_system_that_is_down_is_told(sandbox: Sandbox, words: tuple[str, ...]) -> None:
    sandbox.faults.add(Fault(status=503, body="storage is down"))

    result = await inspect(sandbox, *words)

    assert (result.exit_code, result.stdout) == (Exit.FAILED, "")
    assert "HTTP 503: " in result.stderr


@pytest.mark.parametrize(
    ("words", "settings", "told"),
    [
        (
            ("eholdings", FIRST, "--tenant", "other"),
            {},
            "tenant other has no credentials: RELAY_FOLIO__TENANTS__other__",
        ),
        (("inventory", "in1"), {"RELAY_FOLIO__URL": ""}, "RELAY_FOLIO__URL"),
        (("holdings-sources",), {"RELAY_CONCURRENCY": "0"}, "RELAY_CONCURRENCY"),
    ],
)
async def test_wrong_settings_are_told_before_anything_is_called(
    sandbox: Sandbox, words: tuple[str, ...], settings: dict[str, str], told: str
) -> None:
    result = await inspect(sandbox, *words, **settings)

    assert result.exit_code == Exit.SETTINGS
    assert told in result.stderr
    assert not sandbox.ledger.entries()


async def test_a_further_tenant_is_asked_with_its_own_credentials(sandbox: Sandbox) -> None:
    login: Any = sandbox.systems["login"]
    login.accounts.add_user("other", "visitor", "visitor-password")
    login.accounts.add_static_token("visitor-token", "other", "visitor")

    result = await inspect(
        sandbox, "holdings-sources", "--tenant", "other", RELAY_FOLIO__TENANTS__OTHER__TOKEN="visitor-token"
    )

    assert result.exit_code == Exit.DONE, result.output
    [call] = sandbox.ledger.entries()  # no login, and the gateway takes this token as no other tenant
    assert (call.system, call.status) == ("holdings-sources", 200)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("eholdings", "22-1"), "three numbers"),
        (("eholdings",), "Missing argument"),
        (("inventory", ".."), "must not be blank"),
        (("exports", "apidemo", ".."), "must not be blank"),
    ],
)
async def test_wrong_usage_is_told_before_anything_is_called(
    sandbox: Sandbox, words: tuple[str, ...], told: str
) -> None:
    result = await inspect(sandbox, *words)

    assert result.exit_code == 2
    assert told in result.stderr
    assert not sandbox.ledger.entries()
