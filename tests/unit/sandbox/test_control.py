"""The sandbox's control API: faults, ledger, state, reset, health."""

from __future__ import annotations

import aiohttp
import orjson
import pytest

from service.sandbox.eholdings import eholdings_state, resource
from service.sandbox.exchange import JsonValue
from service.sandbox.faults import Fault
from service.sandbox.scsb import institution, scsb_state
from service.sandbox.server import Sandbox
from tests.builders.sandbox import JsonObject, at
from tests.builders.sandbox_http import put_statement, transfer


async def control(
    http: aiohttp.ClientSession, sandbox: Sandbox, method: str, path: str, body: object = None
) -> tuple[int, JsonValue]:
    sent = None if body is None else orjson.dumps(body)
    async with http.request(method, f"{sandbox.control_url}{path}", data=sent) as response:
        raw = await response.read()
        is_json = response.headers.get("Content-Type") == "application/json"
        return response.status, orjson.loads(raw) if is_json else raw.decode()


async def test_the_control_api_arms_lists_and_disarms_faults(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    armed = [{"name": "one", "system": "scsb", "status": 500, "times": 1}, {"drop": "after", "tenant": "diku"}]

    assert await control(http, sandbox, "POST", "/faults", armed) == (201, {"names": ["one", "fault-1"]})
    assert (await transfer(http, sandbox))[0] == 500

    _, listed = await control(http, sandbox, "GET", "/faults")
    one = at(listed, "faults", 0)
    assert (at(one, "hit"), at(one, "spent"), at(one, "pathContains")) == (1, True, None)
    assert await control(http, sandbox, "DELETE", "/faults/one") == (204, "")
    assert (await control(http, sandbox, "DELETE", "/faults/one"))[0] == 404
    assert await control(http, sandbox, "DELETE", "/faults") == (204, "")
    assert await control(http, sandbox, "GET", "/faults") == (200, {"faults": []})


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"status": 1}, "status: must be"),
        ([{"status": 500}, {"drop": "x"}], "drop: must be"),
        ([{"name": "a", "status": 500}, {"name": "a", "status": 500}], "name: two faults"),
        (None, "The body is not JSON"),
    ],
)
async def test_a_bad_fault_is_400_and_arms_nothing(
    sandbox: Sandbox, http: aiohttp.ClientSession, body: object, text: str
) -> None:
    status, answer = await control(http, sandbox, "POST", "/faults", body)

    assert status == 400
    assert str(answer).startswith(text)
    assert sandbox.faults.armed() == ()


async def test_the_control_api_reads_the_ledger_from_a_number_on(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    await put_statement(http, sandbox, "1")
    await transfer(http, sandbox)
    await put_statement(http, sandbox, "3")

    _, ledger = await control(http, sandbox, "GET", "/ledger?system=eholdings&after=1&limit=5")

    assert [at(entry, "seq") for entry in _list(at(ledger, "entries"))] == [3]
    assert at(ledger, "lastSeq") == 3
    assert at(ledger, "counts") == {"eholdings": 2, "scsb": 1}
    assert await control(http, sandbox, "DELETE", "/ledger") == (204, "")
    assert at((await control(http, sandbox, "GET", "/ledger"))[1], "entries") == []


@pytest.mark.parametrize("query", ["after=x", "limit=-1"])
async def test_a_bad_question_to_the_ledger_is_400(sandbox: Sandbox, http: aiohttp.ClientSession, query: str) -> None:
    status, text = await control(http, sandbox, "GET", f"/ledger?{query}")

    assert status == 400
    assert str(text).startswith(query.partition("=")[0])


async def test_the_control_api_loads_and_shows_state_and_resets_it(
    sandbox: Sandbox, http: aiohttp.ClientSession
) -> None:
    more = eholdings_state(resource("1-2-3", coverageStatement="seeded"))
    assert await control(http, sandbox, "PUT", "/state", {"eholdings": more}) == (204, "")
    assert await control(http, sandbox, "PUT", "/state/scsb", scsb_state(NYPL=institution())) == (204, "")

    _, everything = await control(http, sandbox, "GET", "/state")
    _, scsb = await control(http, sandbox, "GET", "/state/scsb")

    ids = [at(entry, "id") for entry in _list(at(everything, "eholdings", "tenants", "diku", "resources"))]
    assert ids == ["1-2-3", "22-1-2"]
    assert at(everything, "scsb") == scsb
    assert set(_object(at(scsb, "institutions"))) == {"PUL", "NYPL"}
    assert await control(http, sandbox, "POST", "/reset") == (204, "")
    assert await control(http, sandbox, "GET", "/state/scsb") == (200, {"institutions": {}})


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        ("/state", {"nothing": {}}, "nothing: no such system"),
        ("/state", {"scsb": []}, "scsb: must be an object"),
        ("/state", [], "the state must be"),
        ("/state/scsb", {"institutions": 1}, "scsb: institutions: expected"),
    ],
)
async def test_bad_state_is_400_and_names_system_and_field(
    sandbox: Sandbox, http: aiohttp.ClientSession, path: str, body: object, text: str
) -> None:
    status, answer = await control(http, sandbox, "PUT", path, body)

    assert status == 400
    assert str(answer).startswith(text)


async def test_health_names_the_systems(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    assert await control(http, sandbox, "GET", "/health") == (
        200,
        {"status": "up", "systems": ["login", "eholdings", "inventory", "holdings-sources", "scsb", "holdingsiq"]},
    )


async def test_faults_and_latency_do_not_touch_the_control_api(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    sandbox.faults.add(Fault(status=500))

    assert (await control(http, sandbox, "GET", "/health"))[0] == 200


def _list(value: JsonValue) -> list[JsonValue]:
    assert isinstance(value, list)
    return value


def _object(value: JsonValue) -> JsonObject:
    assert isinstance(value, dict)
    return value
