"""`holdings-relay topics`: creates what is missing, reports what differs."""

from __future__ import annotations

from rich.table import Table

from service.commands import console
from service.commands.console import Exit
from service.engine.ports import SourceUnavailable
from service.kafka.topics import TopicState, ensure_topics


def topics() -> None:
    """Create the topics that are missing, and report those that differ from the contract. Changes and deletes nothing.

    Example: RELAY_KAFKA__BOOTSTRAP_SERVERS=kafka:9092 RELAY_TOPICS__PREFIX=test. holdings-relay topics
    """
    settings = console.settings()
    try:
        states = console.run(
            ensure_topics(settings.kafka, settings.topics.prefix, replication_factor=settings.topics.replication_factor)
        )
    except SourceUnavailable as error:
        console.fail(Exit.KAFKA, f"Kafka: {error}")
    table = Table("topic", "state", box=None)
    for state in states:
        table.add_row(state.name, _describe(state))
    console.out.print(table)


def _describe(state: TopicState) -> str:
    if state.created:
        return "created"
    return "; ".join(state.differences) or "as it should be"
