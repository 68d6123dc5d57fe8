"""What the outside can see of a running worker, and how it bears systems that are down or refuse it."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import aiohttp

from service.engine.ports import Outgoing
from service.kafka.topics import CHANGES
from service.sandbox.eholdings.seeds import eholdings_state, resource
from service.sandbox.faults import Fault
from service.sandbox.scsb.seeds import bib, holdings, institution, item, scsb_state
from tests.support.relay import STRUCTURED, RunningRelay, by_event, changed, relay, transfer_requested
from tests.support.relay_process import RelayProcess

RESOURCE = "22-1-2"


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def update(statement: str) -> dict[str, Any]:
    attributes = {"coverageStatement": statement}
    return {"eholdings": {"action": "update", "resourceId": RESOURCE, "attributes": attributes}}


async def status_of(port: int, path: str) -> tuple[int, str]:
    """Status and text of an answer; status 0 when nobody listens."""
    try:
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
            return answer.status, await answer.text()
    except aiohttp.ClientConnectionError:
        return 0, ""


async def until_status(port: int, path: str, status: int) -> str:
    """Blocks until `path` is answered with `status`; the text."""
    async with asyncio.timeout(30):
        while (found := await status_of(port, path))[0] != status:  # noqa: ASYNC110 - another process answers
            await asyncio.sleep(0.1)
    return found[1]


async def until_metrics(port: int, enough: Callable[[str], bool]) -> str:
    """Blocks until the metrics are as wanted; their text."""
    async with asyncio.timeout(30):
        while not enough((found := await status_of(port, "/metrics"))[1]):  # noqa: ASYNC110 - another process answers
            await asyncio.sleep(0.1)
    return found[1]


async def start(running: RunningRelay, **settings: str) -> int:
    port = free_port()
    await running.start_worker(RELAY_HTTP__HOST="127.0.0.1", RELAY_HTTP__PORT=str(port), **settings)
    return port


async def test_a_worker_is_alive_ready_and_counted(kafka: str) -> None:
    async with relay(kafka) as running:
        running.sandbox.load({"eholdings": eholdings_state(resource(RESOURCE))})
        port = await start(running)

        ready = json.loads(await until_status(port, "/readyz", 200))
        assert (ready["reasons"], ready["stopping"], len(ready["partitions"])) == ([], False, 18)
        await running.send(changed("e1", RESOURCE, update("since 1998")))
        await running.results_of(1)

        assert (await status_of(port, "/livez"))[0] == 200
        metrics = await until_status(port, "/metrics", 200)
        assert 'relay_events_total{event_type="holdings.changed",outcome="succeeded"} 1.0' in metrics
        assert 'relay_calls_total{operation="' in metrics
        assert 'relay_event_end_to_end_seconds_count{event_type="holdings.changed"} 1.0' in metrics
        assert 'relay_event_phase_seconds_count{event_type="holdings.changed",phase="call"} 1.0' in metrics


async def test_the_lag_of_every_owned_partition_is_shown_and_falls_to_zero(kafka: str) -> None:
    async with relay(kafka) as running:
        running.sandbox.load({"eholdings": eholdings_state(resource(RESOURCE))})
        running.sandbox.faults.add(Fault("down", system="eholdings", status=503))
        await running.send(changed("e1", RESOURCE, update("since 1998")))
        port = await start(running, RELAY_RETRY__MAX_SECONDS="1")

        def lags(metrics: str) -> list[float]:
            return [float(line.split()[-1]) for line in metrics.splitlines() if line.startswith("relay_lag_records{")]

        waiting = await until_metrics(port, lambda metrics: sum(lags(metrics)) == 1)
        running.sandbox.faults.clear()
        await running.results_of(1)
        settled = await until_metrics(port, lambda metrics: sum(lags(metrics)) == 0)

        assert len(lags(waiting)) == len(lags(settled)) == 18
        assert any(
            age(line) > 0 for line in waiting.splitlines() if line.startswith("relay_oldest_unfinished_seconds{")
        )


def age(line: str) -> float:
    return float(line.split()[-1])


async def test_refused_credentials_fail_readiness_dead_letter_nothing_and_are_survived(kafka: str) -> None:
    async with relay(kafka) as running:
        running.sandbox.load({"eholdings": eholdings_state(resource(RESOURCE))})
        running.sandbox.faults.add(Fault("no permission", system="eholdings", status=403, body="Access denied"))
        port = await start(running, RELAY_RETRY__MAX_SECONDS="1")
        await until_status(port, "/readyz", 200)
        await running.send(changed("e1", RESOURCE, update("since 1998")))

        refused = json.loads(await until_status(port, "/readyz", 503))
        assert refused["reasons"] == ["eholdings refuses our credentials for diku"]
        assert [(c["system"], c["tenant"], c["reason"]) for c in refused["openCircuits"]] == [
            ("eholdings", "diku", "credentials")
        ]
        assert (await status_of(port, "/livez"))[0] == 200
        running.sandbox.faults.clear()
        (result,) = await running.results_of(1)

        assert result["outcome"] == "succeeded"
        await until_status(port, "/readyz", 200)
        await running.dead_letters.read_to_end()
        assert not running.dead_letters.records


async def test_the_status_page_tells_a_person_what_waits_what_is_left_alone_and_what_has_failed(kafka: str) -> None:
    ids = [f"22-1-{number}" for number in range(11, 23)]
    async with relay(kafka) as running:
        running.sandbox.load({"eholdings": eholdings_state(*(resource(i) for i in ids))})
        running.sandbox.faults.add(Fault("down", system="eholdings", status=503, body="<b>away</b>"))
        port = await start(running, RELAY_RETRY__INITIAL_SECONDS="30", RELAY_RETRY__MAX_SECONDS="60")
        await running.send(changed("<i>refused</i>", "k", {"eholdings": {"action": "update", "resourceId": "none"}}))
        await running.send(*(changed(i, i, update_of(i)) for i in ids))

        def is_complete(told: dict[str, Any]) -> bool:
            probes = [circuit["nextProbeAt"] for circuit in told["openCircuits"]]
            return bool(any(probes) and told["repeats"] and told["latestFailures"] and told["lag"] == len(ids))

        told = await until_told(port, is_complete)
        status, page = await status_of(port, "/")

    assert {entity.rpartition("/")[0] for repeat in told["repeats"] for entity in repeat["entities"]} == {
        "eholdings/diku"
    }
    assert all("<b>away</b>" in repeat["message"] and repeat["attempts"] == 1 for repeat in told["repeats"])
    (circuit,) = told["openCircuits"]
    assert (circuit["system"], circuit["tenant"], circuit["reason"]) == ("eholdings", "diku", "failing")
    assert circuit["nextProbeAt"] > circuit["since"]
    (failure,) = told["latestFailures"]
    assert (failure["code"], failure["eventId"]) == ("invalid-data", "<i>refused</i>")
    assert (told["alive"], told["ready"], told["throughput"]["settled"]) == (True, True, {"failed": 1})
    assert status == 200
    for said in ("&lt;b&gt;away&lt;/b&gt;", "&lt;i&gt;refused&lt;/i&gt;", "eholdings/diku/22-1-", "failing"):
        assert said in page
    assert "<b>" not in page
    assert "<i>" not in page


async def until_told(port: int, enough: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Blocks until the status is as wanted; the status."""
    async with asyncio.timeout(30):
        while True:
            code, text = await status_of(port, "/status")
            if code == HTTPStatus.OK and enough(told := json.loads(text)):
                return dict(told)
            await asyncio.sleep(0.1)


async def test_while_one_system_is_down_events_for_the_others_go_on_and_none_is_dead_lettered(kafka: str) -> None:
    ids = [f"22-1-{number}" for number in range(11, 51)]
    async with relay(kafka) as running:
        items = [item(f"i{number}") for number in range(20)]
        scsb = scsb_state(PUL=institution(bib("b1", holdings("h1", item("stays"), *items))))
        running.sandbox.load({"eholdings": eholdings_state(*(resource(i) for i in ids)), "scsb": scsb})
        running.sandbox.faults.add(Fault("down", system="eholdings", status=503))
        await running.start_worker(RELAY_RETRY__MAX_SECONDS="1", RELAY_RETRY__INITIAL_SECONDS="0.2")
        blocked = [changed(i, i, update_of(i)) for i in ids]
        free = [transfer_requested(f"t{number}", f"k{number}", move(f"i{number}")) for number in range(20)]

        await running.send(*blocked)
        await running.send(*free)
        moved = await running.results_of(len(free))
        running.sandbox.faults.clear()
        results = by_event(await running.results_of(len(free) + len(blocked)))

        assert {result["event"]["id"] for result in moved} == {f"t{number}" for number in range(20)}
        assert {result["outcome"] for result in results.values()} == {"succeeded"}


def update_of(resource_id: str) -> dict[str, Any]:
    attributes = {"coverageStatement": "since 1998"}
    return {"eholdings": {"action": "update", "resourceId": resource_id, "attributes": attributes}}


def move(item_id: str) -> dict[str, Any]:
    ids = {"owningInstitutionItemId": item_id}
    source = {"owningInstitutionBibId": "b1", "owningInstitutionHoldingsId": "h1", **ids}
    destination = {"owningInstitutionBibId": "b2", "owningInstitutionHoldingsId": "h2", **ids}
    return {"institution": "PUL", "itemTransfers": [{"source": source, "destination": destination}]}


async def test_a_blocked_loop_is_noticed_within_thirty_seconds_told_with_its_place_and_forgotten_when_it_goes_on(
    kafka: str,
) -> None:
    async with relay(kafka) as running:
        port = free_port()
        health = {"RELAY_HTTP__HOST": "127.0.0.1", "RELAY_HTTP__PORT": str(port)}
        worker = RelayProcess(running.settings | health, command=("-m", "tests.support.blocked_relay"))
        running.workers.append(worker)
        await worker.start()
        await until_status(port, "/readyz", 200)

        blocked_at = asyncio.get_running_loop().time()
        await running.send(blocking(seconds=28))
        text = await until_status(port, "/livez", 503)
        noticed_after = asyncio.get_running_loop().time() - blocked_at

        assert noticed_after < 30
        assert json.loads(text) == {"alive": False, "trouble": "the event loop is blocked"}
        await until_status(port, "/livez", 200)
        (stall,) = [json.loads(line) for line in worker.log.splitlines() if '"worker.stalled"' in line]
        assert any("blocked_relay.py" in places and "interpret" in places for places in stall["stacks"])
        assert len(await running.results_of(1)) == 1


def blocking(seconds: int) -> Outgoing:
    value = {"specversion": "1.0", "id": str(seconds), "source": "/blocks", "type": "holdings.changed", "data": {}}
    return Outgoing(CHANGES, b"k", json.dumps(value).encode(), STRUCTURED)
