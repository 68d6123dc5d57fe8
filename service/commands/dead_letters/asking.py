"""What the three commands share: the topic, the reader, and how a trouble with Kafka ends them."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from service.commands import console
from service.commands.console import Exit
from service.engine.ports import SourceUnavailable
from service.kafka.spans import SpanReader, TopicMissing
from service.kafka.topics import DEAD_LETTERS
from service.letters.browsing import Browser
from service.letters.letter import Reading
from service.settings import Settings

Result = TypeVar("Result")


def browser(reader: SpanReader, settings: Settings) -> Browser:
    reading = Reading(settings.folio.tenant, settings.limits.event_bytes)
    return Browser(reader, settings.topics.prefix + DEAD_LETTERS, reading)


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run to the end, or end with what is wrong with Kafka."""
    try:
        return console.run(work)
    except (SourceUnavailable, TopicMissing) as error:
        console.fail(Exit.KAFKA, f"Kafka: {error}")
