"""`holdings-relay topics`: creates what is missing, reports what differs."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.table import Table

from service.commands import console
from service.commands.console import Exit
from service.engine.ports import SourceUnavailable
from service.kafka.topic_admin import examine_topics
from service.kafka.topics import TopicState


class Form(StrEnum):
    """How the topics are told."""

    TABLE = "table"
    JSON = "json"


def topics(
    check: Annotated[bool, typer.Option("--check", "--dry-run", help="Only report; create nothing.")] = False,
    form: Annotated[Form, typer.Option("--format", help="Of the report.")] = Form.TABLE,
) -> None:
    """Create the topics that are missing, and report those that differ from the contract. Changes and deletes nothing.

    Compared are partitions, cleanup.policy, and, as the least that will do, retention.ms and max.message.bytes. Ends
    with 1 when a topic differs, is missing, or cannot be created.

    Example: RELAY_KAFKA__BOOTSTRAP_SERVERS=kafka:9092 RELAY_TOPICS__PREFIX=test. holdings-relay topics

    Example: holdings-relay topics --check --format json
    """
    settings = console.settings()
    try:
        states = console.run(
            examine_topics(
                settings.kafka,
                settings.topics.prefix,
                replication_factor=settings.topics.replication_factor,
                create=not check,
            )
        )
    except SourceUnavailable as error:
        console.fail(Exit.KAFKA, f"Kafka: {error}")
    _print(states, form)
    if not all(state.as_expected for state in states):
        raise typer.Exit(Exit.FAILED)


def _print(states: Sequence[TopicState], form: Form) -> None:
    if form is Form.JSON:
        console.print_json([_entry(state) for state in states])
        return
    table = Table("topic", "state", box=None)
    for state in states:
        table.add_row(state.name, describe(state))
    console.out.print(table)


def describe(state: TopicState) -> str:
    """The state of a topic in words."""
    if state.created:
        return "created"
    if state.missing:
        return f"cannot be created: {state.refusal}" if state.refusal else "missing"
    told = "; ".join(map(str, state.differences)) or "as it should be"
    return f"{told} (its settings cannot be read: DescribeConfigs)" if state.config_unread else told


def _entry(state: TopicState) -> dict[str, Any]:
    return {
        "topic": state.name,
        "state": "created" if state.created else "missing" if state.missing else "exists",
        "differences": [
            {"what": difference.what, "found": difference.found, "expected": difference.expected}
            for difference in state.differences
        ],
        "settingsRead": not state.config_unread,
        "message": state.refusal,
    }
