"""Holdings sources for people to look at: all of them, however many there are."""

from __future__ import annotations

import pytest

from service.domain.answers import Finding
from service.systems import source_reading
from service.systems.source_reading import SourceReader
from service.systems.trouble import Trouble
from tests.unit.systems.scripted import TENANT, Scripted, ScriptedTransport, answer, gateway


def reader(*answers: Scripted) -> tuple[SourceReader, ScriptedTransport]:
    transport = ScriptedTransport(*answers)
    return SourceReader(gateway(transport, "holdings-sources"), 1.0), transport


def page(*names: str) -> Scripted:
    return answer(200, {"holdingsRecordsSources": [{"id": name, "name": name} for name in names], "totalRecords": 3})


async def test_pages_are_read_until_one_is_not_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_reading, "PAGE", 2)
    sources, transport = reader(page("a", "b"), page("c"))

    found = await sources.read(TENANT)

    assert isinstance(found, list)
    assert [source["id"] for source in found if isinstance(source, dict)] == ["a", "b", "c"]
    assert [call.rpartition("offset=")[2] for call in transport.calls] == ["0", "2"]


async def test_a_name_is_no_pattern() -> None:
    sources, transport = reader(page())

    assert await sources.read(TENANT, 'a*"b') == []
    assert transport.requests[0].url.params["query"] == r'name=="a\*\"b"'


async def test_a_refusal_in_the_middle_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_reading, "PAGE", 1)
    sources, _ = reader(page("a"), answer(400, "bad offset"))

    found = await sources.read(TENANT)

    assert isinstance(found, Finding)
    assert (found.status, found.message) == (400, "bad offset")


@pytest.mark.parametrize(
    "content", [{}, [], "text", {"holdingsRecordsSources": ["a"]}, {"holdingsRecordsSources": None}]
)
async def test_what_is_no_list_of_sources_is_unreadable(content: object) -> None:
    sources, _ = reader(answer(200, content))

    found = await sources.read(TENANT)

    assert isinstance(found, Trouble)
    assert "unreadable answer" in found.message
