"""Dead letters as the relay writes them, everything by keyword."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from service.domain.answers import failed
from service.domain.codes import Code
from service.domain.operations import Asked
from service.domain.record import Headers, Partition
from service.kafka.reader import Stored
from service.kafka.records_out import dead_letter
from service.letters.letter import Letter, read_letter
from tests.builders.outcomes import CHANGES, operation, outcome, record

TOPIC = "holdings.dead-letters"
STORED_MS = 1_700_000_002_000
CONTENT_TYPE: Headers = (("content-type", b"application/cloudevents+json"),)


def event(event_id: str = "e1", resource_id: str = "1-2-3", **attributes: Any) -> bytes:
    """A `holdings.changed` that deselects a resource."""
    data: Mapping[str, Any] = {"eholdings": {"action": "deselect", "resourceId": resource_id}}
    kind = {"specversion": "1.0", "id": event_id, "source": "/tests", "type": "holdings.changed"}
    return orjson.dumps({**kind, "data": data, **attributes})


def stored_letter(
    place: tuple[int, int] = (0, 0),
    *,
    origin: Partition = CHANGES,
    origin_offset: int = 42,
    key: bytes | None = b"1-2-3",
    value: bytes | None = None,
    headers: Headers = CONTENT_TYPE,
    code: Code = Code.REFUSED,
    status: int | None = 422,
    message: str = "no",
    system: str | None = "eholdings",
    stored_ms: int = STORED_MS,
) -> Stored:
    """As it lies in the topic; the value is an event unless given. It failed at `FINISHED_AT`."""
    failed_record = record(
        origin_offset, partition=origin, key=key, value=event() if value is None else value, headers=headers
    )
    why = operation(failed(code, status, message), Asked(system, "update", "1-2-3"), attempts=3)
    sent = dead_letter(outcome(why, of=failed_record))
    return Stored(TOPIC, *place, sent.key, sent.value, sent.headers, stored_ms)


def letter(place: tuple[int, int] = (0, 0), **members: Any) -> Letter:
    """`stored_letter`, read."""
    read = read_letter(stored_letter(place, **members))
    assert read is not None
    return read
