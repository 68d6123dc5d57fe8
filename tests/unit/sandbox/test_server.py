"""The sandbox over HTTP: paths, the gateway in front, faults carried out on the connection, control API, stopping."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import aiohttp
import orjson
import pytest

from service.sandbox.eholdings import eholdings_state, resource
from service.sandbox.exchange import Call, JsonValue, Reply, text_reply
from service.sandbox.faults import Fault
from service.sandbox.scsb import Scsb
from service.sandbox.server import Sandbox, SandboxSettings
from tests.builders.sandbox import at
from tests.builders.sandbox_http import (
    FOLIO_HEADERS,
    HOLDINGSIQ_HEADERS,
    RESOURCE,
    SCSB_HEADERS,
    SEED,
    TRANSFER,
    put_statement,
    transfer,
)

ROOT = Path(__file__).parents[3]


def item_moved(sandbox: Sandbox) -> bool:
    scsb = sandbox.systems["scsb"]
    assert isinstance(scsb, Scsb)
    return "a" in scsb.institution("PUL").bibs["2"].holdings["h2"].items


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 what is waited for has no event of its own
            await asyncio.sleep(0.005)


async def test_the_systems_answer_on_one_port(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    login = {"username": "relay", "password": "relay-password"}
    async with http.post(
        f"{sandbox.folio_url}/authn/login-with-expiry", json=login, headers={"X-Okapi-Tenant": "diku"}
    ) as response:
        assert response.status == 201
    for path, status in (
        (RESOURCE, 200),
        ("/inventory-upsert-hrid/fetch/none", 404),
        ("/holdings-sources?query=name==FOLIO", 200),
    ):
        async with http.get(sandbox.folio_url + path, headers=FOLIO_HEADERS) as response:
            assert response.status == status, await response.text()
    assert (await transfer(http, sandbox))[0] == 200

    async with http.get(f"{sandbox.holdingsiq_url}/rm/rmaccounts/api/exports", headers=HOLDINGSIQ_HEADERS) as response:
        assert response.status == 200

    assert sandbox.ledger.counts == dict.fromkeys(sandbox.systems, 1)


async def test_a_call_is_entered_in_the_ledger_with_what_became_of_it(
    sandbox: Sandbox, http: aiohttp.ClientSession
) -> None:
    assert (await put_statement(http, sandbox, "x"))[0] == 200

    (entry,) = sandbox.ledger
    shown = entry.to_json()
    assert (shown["method"], shown["path"], shown["tenant"], shown["status"]) == ("PUT", RESOURCE, "diku", 200)
    assert (shown["entities"], shown["applied"], shown["fault"]) == (["22-1-2"], True, None)
    assert at(shown["body"], "data", "attributes", "coverageStatement") == "x"
    assert ["X-Okapi-Token", "***"] in _list(shown["headers"])


async def test_a_refusal_of_system_or_gateway_is_not_applied(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    async with http.get(sandbox.folio_url + RESOURCE, headers={"X-Okapi-Tenant": "diku"}) as response:
        assert (response.status, response.headers["Content-Type"]) == (400, "text/plain")
    async with http.get(f"{sandbox.folio_url}/eholdings/resources/x", headers=FOLIO_HEADERS) as response:
        assert response.status == 400

    assert [(entry.status, entry.applied) for entry in sandbox.ledger] == [(400, False), (400, False)]


async def test_header_names_reach_scsb_as_they_were_sent(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    headers = {"api-key": "sandbox-scsb-key", "Content-Type": "application/json"}
    url = f"{sandbox.scsb_url}/sharedCollection/transferHoldingsAndItems"
    async with http.post(url, data=orjson.dumps(TRANSFER), headers=headers) as response:
        assert (response.status, await response.read()) == (401, b"Authentication Failed\n")

    status, answered, _ = await transfer(http, sandbox)

    assert status == 200
    assert "Date" in answered


@pytest.mark.parametrize(
    "path", ["/", "/folio/nothing", "/folio/authn/login", "/scsb/nothing", "/holdingsiq/nothing", "/_sandbox/nothing"]
)
async def test_what_nobody_serves_is_404_as_text(sandbox: Sandbox, http: aiohttp.ClientSession, path: str) -> None:
    async with http.post(sandbox.url + path, data=b"x") as response:
        assert (response.status, response.headers["Content-Type"]) == (404, "text/plain")


async def test_an_answer_without_content_has_neither_body_nor_type(http: aiohttp.ClientSession) -> None:
    async with Sandbox() as sandbox:
        sandbox.load({**SEED, "eholdings": eholdings_state(resource("22-1-2", isPackageCustom=True))})
        async with http.delete(sandbox.folio_url + RESOURCE, headers=FOLIO_HEADERS) as response:
            assert (response.status, await response.read()) == (204, b"")
            assert "Content-Type" not in response.headers


async def test_a_body_of_several_megabytes_is_taken(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    status, answer = await put_statement(http, sandbox, "x" * 5_000_000)

    assert status == 422
    assert b"coverageStatement is too long" in answer


async def test_a_status_fault_answers_instead_of_the_system(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    sandbox.faults.add(
        Fault(name="down", system="scsb", status=503, body="Service Unavailable", headers=(("Retry-After", "7"),))
    )

    status, headers, body = await transfer(http, sandbox)

    assert (status, headers["Retry-After"], body) == (503, "7", b"Service Unavailable")
    assert not item_moved(sandbox)
    (entry,) = sandbox.ledger
    assert (entry.status, entry.applied, entry.fault) == (503, False, "down")


async def test_a_status_fault_after_the_fact_hides_that_the_call_was_applied(
    sandbox: Sandbox, http: aiohttp.ClientSession
) -> None:
    sandbox.faults.add(Fault(system="scsb", status=503, stage="after", body="Internal error occurred during transfer"))

    assert (await transfer(http, sandbox))[0] == 503

    assert item_moved(sandbox)
    (entry,) = sandbox.ledger
    assert (entry.status, entry.applied) == (503, True)


@pytest.mark.parametrize(("stage", "applied"), [("before", False), ("after", True)])
async def test_a_dropped_connection_leaves_the_client_in_the_dark(
    sandbox: Sandbox, http: aiohttp.ClientSession, stage: str, applied: bool
) -> None:
    sandbox.faults.add(Fault.from_json({"system": "scsb", "drop": stage, "times": 1}))

    with pytest.raises(aiohttp.ServerDisconnectedError):
        await transfer(http, sandbox)

    assert item_moved(sandbox) is applied
    (entry,) = sandbox.ledger
    assert (entry.status, entry.applied, entry.finished_at is None) == (None, applied, False)


async def test_an_answer_can_be_cut_to_invalid_json(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    sandbox.faults.add(Fault(system="scsb", truncate_bytes=10))

    status, headers, body = await transfer(http, sandbox)

    assert (status, headers["Content-Type"], len(body)) == (200, "application/json", 10)
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(body)


async def test_a_call_is_applied_after_a_delay_although_its_client_has_given_up(
    sandbox: Sandbox, http: aiohttp.ClientSession
) -> None:
    sandbox.faults.add(Fault(system="scsb", delay_seconds=0.3))
    url = f"{sandbox.scsb_url}/sharedCollection/transferHoldingsAndItems"

    with pytest.raises(TimeoutError):
        await http.post(
            url, data=orjson.dumps(TRANSFER), headers=SCSB_HEADERS, timeout=aiohttp.ClientTimeout(total=0.1)
        )
    assert not item_moved(sandbox)

    await eventually(lambda: item_moved(sandbox))


async def test_a_delay_after_the_fact_has_applied_the_call_at_once(
    sandbox: Sandbox, http: aiohttp.ClientSession
) -> None:
    sandbox.faults.add(Fault(system="scsb", delay_seconds=60, stage="after"))

    call = asyncio.create_task(transfer(http, sandbox))
    await eventually(lambda: item_moved(sandbox))

    assert not call.done()
    call.cancel()


class Speechless:
    """A system that never answers."""

    name = "scsb"

    def serves(self, method: str, path: str) -> bool:
        return True

    def handle(self, call: Call) -> Reply:
        return Reply(0) if call.method == "DELETE" else text_reply(200, "here")

    def entities(self, call: Call) -> tuple[str, ...]:
        return ()

    def snapshot(self) -> dict[str, JsonValue]:
        return {}

    def load(self, state: Mapping[str, JsonValue]) -> None:
        return None

    def reset(self) -> None:
        return None


async def test_a_call_that_is_never_answered_ends_with_the_patience_of_the_client(http: aiohttp.ClientSession) -> None:
    async with Sandbox([Speechless()]) as sandbox:
        with pytest.raises(TimeoutError):
            await http.delete(f"{sandbox.scsb_url}/x", timeout=aiohttp.ClientTimeout(total=0.1))
        async with http.get(f"{sandbox.scsb_url}/x") as response:
            assert response.status == 200

        await eventually(lambda: all(entry.finished_at is not None for entry in sandbox.ledger))
        assert [(entry.status, entry.applied) for entry in sandbox.ledger] == [(None, False), (200, True)]


async def test_the_latency_of_one_system_does_not_hold_up_another(http: aiohttp.ClientSession) -> None:
    async with Sandbox(settings=SandboxSettings(latency_seconds={"scsb": 60.0})) as sandbox:
        sandbox.load(SEED)
        slow = asyncio.create_task(transfer(http, sandbox))
        await eventually(lambda: len(sandbox.ledger) == 1)

        assert (await put_statement(http, sandbox, "x"))[0] == 200
        assert not slow.done()
        slow.cancel()


async def test_hundreds_of_calls_at_once_are_all_answered(sandbox: Sandbox) -> None:
    sandbox.load({"eholdings": eholdings_state(*[resource(f"22-1-{number}") for number in range(400)])})
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:

        async def read(number: int) -> int:
            url = f"{sandbox.folio_url}/eholdings/resources/22-1-{number}"
            async with http.get(url, headers=FOLIO_HEADERS) as response:
                return response.status

        statuses = await asyncio.gather(*(read(number) for number in range(400)))

    assert statuses == [200] * 400
    assert sandbox.ledger.counts == {"eholdings": 400}


async def test_stopping_closes_idle_connections_and_cuts_calls_under_way(http: aiohttp.ClientSession) -> None:
    sandbox = Sandbox(settings=SandboxSettings(stop_grace_seconds=0.1))
    await sandbox.start()
    sandbox.load(SEED)
    await put_statement(http, sandbox, "a connection that stays open")
    sandbox.faults.add(Fault(system="scsb", delay_seconds=600))
    call = asyncio.create_task(transfer(http, sandbox))
    await eventually(lambda: len(sandbox.ledger) == 2)

    started = time.monotonic()
    await sandbox.stop()

    assert time.monotonic() - started < 5
    with pytest.raises(aiohttp.ClientError):
        await call
    with pytest.raises(RuntimeError, match="not running"):
        _ = sandbox.url
    await sandbox.stop()


async def test_a_port_that_is_taken_is_an_error_and_leaves_nothing_running(sandbox: Sandbox) -> None:
    second = Sandbox()

    with pytest.raises(OSError, match="address already in use"):
        await second.start(port=int(sandbox.url.rpartition(":")[2]))

    with pytest.raises(RuntimeError, match="not running"):
        _ = second.url


PROGRAM = """
import asyncio, signal
from service.sandbox.server import Sandbox

async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with Sandbox() as sandbox:
        print(sandbox.url, flush=True)
        await stop.wait()

asyncio.run(main())
"""


async def test_sigterm_ends_a_process_although_a_client_keeps_its_connection_open(http: aiohttp.ClientSession) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    try:
        assert process.stdout is not None
        url = (await process.stdout.readline()).decode().strip()
        async with http.get(f"{url}/_sandbox/health") as response:
            assert response.status == 200

        process.send_signal(signal.SIGTERM)

        async with asyncio.timeout(10):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _list(value: JsonValue) -> list[JsonValue]:
    assert isinstance(value, list)
    return value
