"""`holdings-relay publish`: validates events and publishes them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from service.commands import console
from service.commands.console import Exit
from service.commands.event_files import EventFile, InvalidEvents, ReadyEvent, read_events
from service.engine.ports import SourceUnavailable
from service.kafka.publisher import Published, publish_all
from service.settings import Settings


def publish(
    files: Annotated[list[str], typer.Argument(metavar="FILE…", help="JSON, JSON lines, or - for standard input.")],
) -> None:
    """Validate events and publish them. Nothing is sent unless all of them are valid.

    A file holds one event, a JSON array of events, or one event a line, each a CloudEvent in structured mode. An
    event is keyed by its `partitionkey` where it has one, else by the first entity that it touches.

    Example: holdings-relay publish events.jsonl
    Example: generate-events | holdings-relay publish -
    """
    settings = console.settings()
    events = _read(files, settings)
    try:
        for sent in console.run(publish_all(settings.kafka, settings.topics.prefix, [e.outgoing for e in events])):
            _report(sent, events)
    except SourceUnavailable as error:
        console.fail(Exit.KAFKA, f"Kafka: {error}")


def _read(names: list[str], settings: Settings) -> list[ReadyEvent]:
    events: list[ReadyEvent] = []
    faults: list[str] = []
    for name in names:
        try:
            content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
            events += read_events(EventFile(name, content), settings.folio.tenant, settings.limits.event_bytes)
        except OSError as error:
            faults.append(f"{name}: {error.strerror}")
        except InvalidEvents as error:
            faults += error.faults
    if faults:
        console.fail(Exit.FAILED, "Nothing was sent:", *(f"  {fault}" for fault in faults))
    return events


def _report(sent: Published, events: list[ReadyEvent]) -> None:
    event = events[sent.index]
    console.out.print(
        f"{event.where}: {event.type} {event.id} → {sent.topic}/{sent.partition}@{sent.offset}",
        markup=False,
        soft_wrap=True,
    )
