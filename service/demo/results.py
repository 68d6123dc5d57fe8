"""What the worker published about a record: its result read back, and where a record went in the first place.

Owns the reading. Must not judge: `verification` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import orjson

from service.demo.sample import Sample
from service.domain.operations import EventIdentity
from service.kafka.reader import Stored


class Place(NamedTuple):
    """Where a record lies; `topic` is without the prefix."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Sent:
    """A sample that was published."""

    sample: Sample
    place: Place


@dataclass(frozen=True, slots=True)
class OperationResult:
    """One entry of `operations`. `word` is its outcome, or its code where it failed."""

    system: str | None
    operation: str | None
    target: str | None
    word: str
    attempts: int
    message: str | None
    rows: int | None = None
    """That it counts, where it is an export."""


@dataclass(frozen=True, slots=True)
class ExportedRow:
    """A `holdings.export.row` as it was read. `place` is that of the record that asked for it."""

    place: Place
    number: int
    key: bytes | None
    resource_id: str | None


@dataclass(frozen=True, slots=True)
class Result:
    """A `holdings.result` as it was read. `place` is that of the record that it tells of."""

    place: Place
    event: EventIdentity
    outcome: str
    operations: tuple[OperationResult, ...]
    key: bytes | None
    tenant: str | None
    traceparent: str | None

    @property
    def failure(self) -> OperationResult | None:
        """The first operation that failed by itself."""
        fine = ("succeeded", "unchanged", "not-attempted")
        return next((operation for operation in self.operations if operation.word not in fine), None)


class NotAResult(Exception):
    """A record on the topic of results, or of rows, that is none; the text says what is wrong with it."""


def read_result(stored: Stored, prefix: str) -> Result:
    """The result in a record. Raises NotAResult."""
    try:
        content = orjson.loads(stored.value or b"")
        data = content["data"]
        about = data["event"]
        return Result(
            Place(str(about["topic"]).removeprefix(prefix), about["partition"], about["offset"]),
            EventIdentity(about["id"], about["source"], about["type"]),
            data["outcome"],
            tuple(_operation(entry) for entry in data["operations"]),
            stored.key,
            content.get("tenant"),
            content.get("traceparent"),
        )
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise NotAResult(
            f"{stored.topic}/{stored.partition}@{stored.offset}: {type(error).__name__}: {error}"
        ) from error


def read_row(stored: Stored, prefix: str) -> ExportedRow:
    """The row in a record. Raises NotAResult."""
    try:
        content = orjson.loads(stored.value or b"")
        topic, partition, offset, number = content["id"].rsplit("/", 3)
        place = Place(topic.removeprefix(prefix), int(partition), int(offset))
        return ExportedRow(place, int(number), stored.key, _text(content["data"]["resourceId"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotAResult(
            f"{stored.topic}/{stored.partition}@{stored.offset}: {type(error).__name__}: {error}"
        ) from error


def place_of_dead_letter(stored: Stored, prefix: str) -> Place | None:
    """The place of the record that a dead letter tells of, out of its headers; None when they do not say."""
    headers = dict(stored.headers)
    texts = [headers.get(f"relay-{name}") for name in ("topic", "partition", "offset")]
    topic, partition, offset = (text.decode() if text else "" for text in texts)
    if not (topic and partition.isdigit() and offset.isdigit()):
        return None
    return Place(topic.removeprefix(prefix), int(partition), int(offset))


def _operation(entry: Mapping[str, object]) -> OperationResult:
    code, message, attempts = entry["code"], entry["message"], entry["attempts"]
    export = entry.get("export")
    rows = export.get("rows") if isinstance(export, Mapping) else None
    return OperationResult(
        _text(entry["system"]),
        _text(entry["operation"]),
        _text(entry["target"]),
        str(code or entry["outcome"]),
        attempts if isinstance(attempts, int) else 0,
        _text(message),
        rows if isinstance(rows, int) else None,
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
