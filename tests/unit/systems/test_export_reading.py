"""Exports for people to look at: what HoldingsIQ tells of them, less the links to their files."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from service.domain.answers import Finding
from service.sandbox.holdingsiq import Plan, customer, holdingsiq_state
from service.sandbox.server import Sandbox
from service.systems.export_reading import HIDDEN, ExportReader, without_links
from service.systems.holdingsiq_calls import holdingsiq_headers
from service.systems.http import HttpClient
from service.systems.transport import Http1Transport
from tests.unit.systems.scripted import ScriptedTransport, answer

LINK = "https://bucket.example/holdings.csv?X-Amz-Signature=abc"


def scripted(*bodies: object) -> ExportReader:
    transport = ScriptedTransport(*(answer(200, body) for body in bodies))
    return ExportReader(HttpClient("holdingsiq", "http://holdingsiq.example", transport), 1.0)


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as running:
        running.load({"holdingsiq": holdingsiq_state(apidemo=customer(plan=Plan(after_polls=0)))})
        yield running


async def test_a_completed_export_is_shown_without_its_link(sandbox: Sandbox) -> None:
    transport = Http1Transport()
    http = HttpClient(
        "holdingsiq", sandbox.holdingsiq_url, transport, headers=holdingsiq_headers("sandbox-holdingsiq-key")
    )
    reader = ExportReader(http, 5.0)
    created = await http.send(
        "create", "POST", "/rm/rmaccounts/apidemo/exports", body=b'{"type":"COST","format":"csv"}', read_seconds=5.0
    )
    export_id = getattr(created, "json")()["id"]  # noqa: B009 - a Reply, as the sandbox answers

    shown = await reader.read("apidemo", export_id)
    listed = await reader.list("apidemo")
    await transport.aclose()

    assert isinstance(shown, dict)
    assert (shown["id"], shown["status"]) == (export_id, "COMPLETED")
    assert shown["links"] == [{"href": HIDDEN, "rel": "download"}]
    assert export_id in str(listed)
    assert "://" not in f"{shown}{listed}"


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ({"links": [{"href": LINK, "rel": "download"}]}, {"links": [{"href": HIDDEN, "rel": "download"}]}),
        ({"links": [{"href": "/relative?signature=1"}]}, {"links": [{"href": HIDDEN}]}),
        ({"downloadUrl": LINK, "size": 3, "none": None}, {"downloadUrl": HIDDEN, "size": 3, "none": None}),
        ([f"see {LINK}", "no link"], [HIDDEN, "no link"]),
    ],
)
def test_a_link_is_hidden_wherever_it_is(content: object, shown: object) -> None:
    assert without_links(content) == shown  # type: ignore[arg-type]  # any JSON


async def test_a_refusal_keeps_the_systems_own_words() -> None:
    transport = ScriptedTransport(answer(404, {"Errors": [{"Code": 1001, "Message": "Export not found"}]}))
    reader = ExportReader(HttpClient("holdingsiq", "http://holdingsiq.example", transport), 1.0)

    found = await reader.read("apidemo", "none")

    assert isinstance(found, Finding)
    assert (found.status, found.message) == (404, "Export not found")


async def test_an_id_cannot_leave_its_place() -> None:
    transport = ScriptedTransport(answer(200, {"id": "x"}))
    reader = ExportReader(HttpClient("holdingsiq", "http://holdingsiq.example", transport), 1.0)

    await reader.read("a/b", "../c")

    assert transport.requests[0].url.raw_path == b"/rm/rmaccounts/a%2Fb/exports/..%2Fc"
