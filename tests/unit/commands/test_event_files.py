"""Files of events: every form that is read, and every fault told by file, line and path."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from service.commands.event_files import EventFile, InvalidEvents, ReadyEvent, read_events
from tests.builders.events import envelope, update

MAX_BYTES = 10_000
EVENT = envelope(data={"eholdings": update({"isSelected": True})})


def read(content: bytes, default_tenant: str | None = "diku", name: str = "events.jsonl") -> list[ReadyEvent]:
    return read_events(EventFile(name, content), default_tenant, MAX_BYTES)


def faults_of(content: bytes, **arguments: Any) -> list[str]:
    with pytest.raises(InvalidEvents) as raised:
        read(content, **arguments)
    return raised.value.faults


def with_id(event_id: str, **members: Any) -> dict[str, Any]:
    return EVENT | {"id": event_id} | members


def lines(*events: dict[str, Any] | bytes, end: bytes = b"\n") -> bytes:
    return b"".join((event if isinstance(event, bytes) else orjson.dumps(event)) + end for event in events)


def test_an_event_is_made_ready_for_the_topic_of_its_type_keyed_by_its_first_entity() -> None:
    (ready,) = read(orjson.dumps(EVENT))

    assert (ready.id, ready.type) == ("e-1", "holdings.changed")
    assert ready.outgoing.topic == "holdings.changes"
    assert ready.outgoing.key == update()["resourceId"].encode()
    assert ready.outgoing.headers == (("content-type", b"application/cloudevents+json; charset=UTF-8"),)


def test_a_partition_key_of_the_events_own_is_the_key() -> None:
    (ready,) = read(orjson.dumps(EVENT | {"partitionkey": "package 1887786"}))

    assert ready.outgoing.key == b"package 1887786"


def test_one_event_may_be_the_whole_file_on_many_lines() -> None:
    pretty = orjson.dumps(EVENT, option=orjson.OPT_INDENT_2) + b"\n"

    (ready,) = read(pretty)

    assert ready.where == "events.jsonl"
    assert ready.outgoing.value == pretty.strip(), "what was written is what is sent"


def test_events_may_be_an_array() -> None:
    ready = read(orjson.dumps([with_id("a"), with_id("b")]))

    assert [(event.where, event.id) for event in ready] == [("events.jsonl[0]", "a"), ("events.jsonl[1]", "b")]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\n\n", b"\n  \n"])
def test_events_may_be_one_a_line_and_blank_lines_do_not_count_as_events(end: bytes) -> None:
    ready = read(lines(with_id("a"), with_id("b"), end=end))

    assert [event.id for event in ready] == ["a", "b"]
    assert [orjson.loads(event.outgoing.value or b"")["id"] for event in ready] == ["a", "b"]


def test_an_event_knows_the_line_that_it_came_from() -> None:
    ready = read(b"\n" + lines(with_id("a")) + b"\n\n" + lines(with_id("b")))

    assert [event.where for event in ready] == ["events.jsonl:2", "events.jsonl:5"]


def test_every_fault_of_every_event_is_told_with_its_line_and_path() -> None:
    no_action = with_id("a", data={"eholdings": {"resourceId": "1-2-3"}})
    no_id = {name: value for name, value in EVENT.items() if name != "id"}

    told = faults_of(lines(EVENT, no_action, b"not JSON", no_id))

    assert {fault.split(" ")[0] for fault in told} == {"events.jsonl:2:", "events.jsonl:3:", "events.jsonl:4:"}
    assert any("invalid-data: data.eholdings" in fault for fault in told)
    assert any("events.jsonl:3: unreadable: " in fault for fault in told)


def test_an_event_of_a_type_that_nobody_knows_is_told() -> None:
    (fault,) = faults_of(orjson.dumps([EVENT, EVENT | {"type": "holdings.eaten"}]))

    assert fault.startswith("events.jsonl[1]: unknown-type: ")
    assert "holdings.eaten" in fault


def test_an_event_that_is_too_large_is_told() -> None:
    (fault,) = faults_of(orjson.dumps(EVENT | {"padding": "x" * MAX_BYTES}))

    assert fault.startswith("events.jsonl: too-large: ")


@pytest.mark.parametrize("content", [b"", b"\n \n", b"[]"])
def test_a_file_without_an_event_is_told(content: bytes) -> None:
    assert faults_of(content) == ["events.jsonl: there is no event in it"]


@pytest.mark.parametrize("content", [b"1", b'"text"', b"null", b"[1]", b"[[]]"])
def test_json_that_is_no_event_is_told(content: bytes) -> None:
    (fault,) = faults_of(content)

    assert fault.startswith("events.jsonl")
    assert "unreadable" in fault or "invalid-data" in fault


def test_an_event_without_a_tenant_needs_a_default_one_only_where_the_systems_know_tenants() -> None:
    told = read(orjson.dumps(EVENT | {"tenant": "other"}), default_tenant=None)

    assert [event.id for event in told] == ["e-1"]


def test_standard_input_is_named_as_it_was_given() -> None:
    (ready,) = read(orjson.dumps(EVENT), name="-")

    assert ready.where == "-"
