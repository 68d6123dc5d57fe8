"""The status as JSON."""

from __future__ import annotations

import json

from service import __version__
from service.engine.state import WorkerState
from service.telemetry.status import to_json
from tests.builders.status import busy, circuit, repeat, status


def test_a_worker_without_work_tells_what_is_known_and_null_for_what_is_not() -> None:
    assert to_json(status(taken_at=0.0)) == {
        "worker": "relay-0-7",
        "version": __version__,
        "group": "holdings-relay",
        "startedAt": "2023-11-14T21:11:40+00:00",
        "at": "2023-11-14T22:13:20+00:00",
        "takenAt": None,
        "alive": True,
        "trouble": None,
        "ready": True,
        "reasons": [],
        "throughput": {"perSecondShort": None, "perSecondLong": None, "settled": {}, "inWork": 0, "running": 0},
        "lag": None,
        "partitions": [],
        "repeating": 0,
        "repeats": [],
        "openCircuits": [],
        "quotas": [],
        "latestFailures": [],
    }


def test_a_busy_worker_tells_the_same_as_the_page() -> None:
    told = json.loads(json.dumps(to_json(busy())))

    assert told["throughput"] == {
        "perSecondShort": 12.5,
        "perSecondLong": 8.25,
        "settled": {"succeeded": 1234, "failed": 1},
        "inWork": 8,
        "running": 5,
    }
    assert told["lag"] == 5
    assert told["partitions"][0] == {
        "topic": "holdings.changes",
        "partition": 0,
        "lag": 5,
        "oldestUnfinishedSeconds": 30.0,
        "inMemory": 3,
        "onHold": 0,
        "paused": False,
    }
    assert told["repeating"] == len(told["repeats"]) == 3
    assert told["repeats"][0] == {
        "entities": ["eholdings/diku/22-1-2"],
        "entityCount": 1,
        "system": "eholdings",
        "tenant": "diku",
        "attempts": 2,
        "message": "HTTP 503: the knowledge base is away",
        "nextAttemptAt": "2023-11-14T22:13:25+00:00",
        "eventId": "e0",
        "topic": "holdings.changes",
        "partition": 0,
        "offset": 42,
    }
    assert told["openCircuits"][0] == {
        "system": "eholdings",
        "tenant": "diku",
        "reason": "failing",
        "message": "try later",
        "since": "2023-11-14T22:11:50+00:00",
        "probing": False,
        "nextProbeAt": "2023-11-14T22:13:32+00:00",
        "waiting": 4,
    }
    assert told["quotas"] == [
        {"system": "eholdings", "tenant": "diku", "spentSince": None, "nextProbeAt": None},
        {
            "system": "holdingsiq",
            "tenant": "apidvgvmt",
            "spentSince": "2023-11-14T22:11:50+00:00",
            "nextProbeAt": "2023-11-14T22:15:00+00:00",
        },
    ]
    assert told["latestFailures"] == [
        {
            "at": "2023-11-14T22:12:20+00:00",
            "code": "refused",
            "system": "eholdings",
            "target": "22-1-9",
            "eventId": "e9",
            "message": "no such title",
            "topic": "holdings.changes",
            "partition": 1,
            "offset": 7,
        }
    ]


def test_what_an_open_circuit_keeps_back_has_no_time_of_its_next_attempt() -> None:
    worker = WorkerState(repeating=1, repeats=(repeat(due_in_seconds=None),))

    told = json.loads(json.dumps(to_json(status(worker=worker, circuits=(circuit(message="x" * 5000),)))))

    assert told["repeats"][0]["nextAttemptAt"] is None
    assert len(told["openCircuits"][0]["message"]) == 300
