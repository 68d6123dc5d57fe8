"""Which dead letters are meant by what was given."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from service.domain.codes import Code
from service.domain.record import Partition
from service.letters.letter import Reading
from service.letters.selection import Selection, moment_of
from tests.builders.letters import event, letter
from tests.builders.outcomes import FINISHED_AT
from tests.builders.sandbox import item_ids

READING = Reading("diku", 1_000_000)
NOW = 1_700_000_000.0

UPSERT = {
    "inventory": {
        "action": "upsert",
        "instance": {
            "hrid": "in7",
            "title": "T",
            "source": "X",
            "instanceTypeId": "6312d172-f0cf-40f6-b27d-9fa8feaf332f",
        },
        "holdingsRecords": [
            {"hrid": "ho8", "permanentLocationId": "fcd64ce1-6995-48f0-840e-89ffa2288371", "items": []}
        ],
    }
}
MOVE = {
    "institution": "PUL",
    "itemTransfers": [{"source": item_ids("b1", "h1", "i1"), "destination": item_ids("b2", "h2", "i1")}],
}


@pytest.mark.parametrize(
    ("selection", "fits"),
    [
        ({}, True),
        ({"since": FINISHED_AT}, True),
        ({"since": FINISHED_AT + 0.001}, False),
        ({"until": FINISHED_AT}, False),
        ({"until": FINISHED_AT + 0.001}, True),
        ({"codes": {"refused", "skipped"}}, True),
        ({"codes": {"skipped"}}, False),
        ({"systems": {"eholdings"}}, True),
        ({"systems": {"scsb"}}, False),
        ({"topics": {"holdings.changes"}}, True),
        ({"topics": {"holdings.transfer-requests"}}, False),
        ({"tenant": "diku"}, True),
        ({"tenant": "other"}, False),
        ({"event_id": "e1"}, True),
        ({"event_id": "e"}, False),
        ({"event_type": "holdings.changed"}, True),
        ({"event_type": "holdings.transfer.requested"}, False),
        ({"entity": "1-2-3"}, True),
        ({"entity": "1-2-4"}, False),
        ({"codes": {"refused"}, "tenant": "other"}, False),
    ],
)
def test_every_condition_must_hold(selection: dict[str, Any], fits: bool) -> None:
    assert Selection(**selection).has(letter(), READING) is fits


@pytest.mark.parametrize(
    ("entity", "data", "fits"),
    [
        ("in7", UPSERT, True),
        ("IN7", UPSERT, True),
        ("ho8", UPSERT, True),
        ("ho9", UPSERT, False),
        ("b1", MOVE, True),
        ("b2", MOVE, True),
        ("i1", MOVE, True),
        ("B1", MOVE, False),
        ("key", MOVE, True),
    ],
)
def test_an_entity_is_a_key_a_target_or_whatever_the_event_touches(
    entity: str, data: dict[str, Any], fits: bool
) -> None:
    kind = "holdings.changed" if "inventory" in data else "holdings.transfer.requested"
    subject = letter(key=b"key", value=event(data=data, type=kind))

    assert Selection(entity=entity).has(subject, READING) is fits


def test_an_event_that_cannot_be_read_is_found_by_its_key_its_topic_and_its_code() -> None:
    subject = letter(value=b"\xff", code=Code.UNREADABLE, origin=Partition("p.holdings.changes", 0))

    assert Selection(codes=frozenset({"unreadable"}), entity="1-2-3").has(subject, READING)
    assert Selection(topics=frozenset({"p.holdings.changes"})).has(subject, READING)
    assert not Selection(tenant="diku").has(subject, READING)
    assert not Selection(entity="other").has(subject, READING)


def test_without_a_condition_everything_is_meant() -> None:
    assert Selection().is_everything
    assert not Selection(since=0.0).is_everything


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90s", NOW - 90),
        ("15m", NOW - 900),
        ("1.5h", NOW - 5400),
        ("3d", NOW - 259_200),
        ("1w", NOW - 604_800),
        ("2023-11-14", datetime(2023, 11, 14, tzinfo=UTC).timestamp()),
        ("2023-11-14T12:00", datetime(2023, 11, 14, 12, tzinfo=UTC).timestamp()),
        ("2023-11-14T12:00:00Z", datetime(2023, 11, 14, 12, tzinfo=UTC).timestamp()),
        ("2023-11-14T12:00:00+02:00", datetime(2023, 11, 14, 10, tzinfo=UTC).timestamp()),
    ],
)
def test_a_moment_is_a_date_or_so_long_ago(text: str, moment: float) -> None:
    assert moment_of(text, lambda: NOW) == moment


@pytest.mark.parametrize("text", ["", "2", "h", "-2h", "2y", "yesterday", "2023-13-01", "2h ago"])
def test_what_is_no_moment_is_said_to_be_none(text: str) -> None:
    with pytest.raises(ValueError, match="is no moment: give 2026-01-31"):
        moment_of(text, lambda: NOW)
