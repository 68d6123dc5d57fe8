"""Samples, and the records that a worker publishes about them, built in one line."""

from __future__ import annotations

from typing import Any

import orjson

from service.demo.results import Place, Result, Sent, read_result
from service.demo.sample import Expected, Sample, Word
from service.domain.answers import Verdict
from service.domain.codes import Code
from service.domain.operations import EventIdentity
from service.domain.record import Headers
from service.engine.ports import Outgoing
from service.kafka.reader import Stored

PREFIX = "demo-1."
TOPIC = "holdings.changes"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def sent(
    *words: Word, offset: int = 0, retried: bool = False, headers: Headers = (), title: str = "A journal is renamed"
) -> Sent:
    """A sample that was published, which expects these words."""
    sample = Sample(
        title,
        Outgoing(TOPIC, b"key", b'{"some": "value"}', headers),
        Expected(words or (Verdict.SUCCEEDED,), retried),
        EventIdentity(f"e{offset}", "/ils", "holdings.changed"),
        "diku",
        TRACE,
    )
    return Sent(sample, Place(TOPIC, 0, offset))


def result(about: Sent, *words: str, attempts: int = 1, **changed: Any) -> Result:
    """The result that the worker should publish about a record; `changed` are members of its event or of the whole."""
    expected = about.sample.expected
    words = words or tuple(expected.operations)
    event = about.sample.event
    content: dict[str, Any] = {
        "tenant": about.sample.tenant,
        "traceparent": about.sample.traceparent,
        "data": {
            "event": {
                "id": event.id,
                "source": event.source,
                "type": event.type,
                "topic": PREFIX + about.place.topic,
                "partition": about.place.partition,
                "offset": about.place.offset,
            },
            "outcome": changed.pop("outcome", expected.outcome),
            "operations": [operation(word, attempts) for word in words],
        },
    }
    key = changed.pop("key", about.sample.outgoing.key)
    content["data"]["event"] |= {name: changed.pop(name) for name in ("id", "offset") if name in changed}
    value = orjson.dumps({**content, **changed})
    return read_result(Stored("holdings.results", 0, 0, key, value, ()), PREFIX)


def operation(word: str, attempts: int) -> dict[str, Any]:
    """One entry of `operations`."""
    failed = word not in ("succeeded", "unchanged")
    return {
        "system": "eholdings",
        "operation": "update",
        "target": "1-2-3",
        "outcome": "failed" if failed else word,
        "code": word if failed else None,
        "message": "No such title" if failed else None,
        "attempts": attempts,
    }


def dead_letter(about: Sent, **changed: Any) -> Stored:
    """The dead letter that the worker should publish about a record."""
    outgoing, place = about.sample.outgoing, about.place
    code = changed.pop("code", about.sample.expected.code or Code.REFUSED)
    told = {"code": code, "topic": PREFIX + place.topic, "partition": place.partition, "offset": place.offset}
    headers = changed.pop("headers", outgoing.headers)
    headers += tuple((f"relay-{name}", str(value).encode()) for name, value in told.items())
    record = {"key": outgoing.key, "value": outgoing.value, **changed}
    return Stored("holdings.dead-letters", 0, 0, record["key"], record["value"], headers)
