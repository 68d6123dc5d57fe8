"""`holdings-relay dead-letters list`: what failed and why, as it is read."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import Annotated

import typer

from service.commands import console
from service.commands.dead_letters.asking import browser, run
from service.commands.dead_letters.options import (
    Codes,
    Entity,
    EventId,
    EventType,
    OfSystems,
    Since,
    Tenant,
    Topics,
    Until,
    selection_of,
)
from service.commands.dead_letters.rows import LetterTable, as_json
from service.commands.dead_letters.text import visible
from service.kafka.spans import SpanReader
from service.letters.browsing import Browser
from service.letters.letter import Letter
from service.letters.selection import Selection
from service.settings import Settings


class Form(StrEnum):
    TABLE = "table"
    JSON = "json"


def list_letters(
    since: Since = None,
    until: Until = None,
    code: Codes = None,
    system: OfSystems = None,
    tenant: Tenant = None,
    entity: Entity = None,
    topic: Topics = None,
    event_id: EventId = None,
    event_type: EventType = None,
    form: Annotated[Form, typer.Option("--format", help="A table, or one JSON object a line.")] = Form.TABLE,
) -> None:
    """List the dead letters that are there now, those of each partition from the oldest to the newest.

    Rows appear as they are read, however large the topic is.

    Example: holdings-relay dead-letters list --since 2h --code unavailable

    Example: holdings-relay dead-letters list --entity 22-1887786-1440285 --format json
    """
    settings = console.settings()
    selection = selection_of(
        settings.topics.prefix,
        since=since,
        until=until,
        codes=code,
        systems=system,
        tenant=tenant,
        entity=entity,
        topics=topic,
        event_id=event_id,
        event_type=event_type,
    )
    run(_list(settings, selection, form))


async def _list(settings: Settings, selection: Selection, form: Form) -> None:
    async with SpanReader(settings.kafka) as reader:
        letters = browser(reader, settings)
        if form is Form.JSON:
            async for letter in letters.letters(selection):
                console.out.out(as_json(letter, letters.reading), highlight=False)
        else:
            await _show_table(letters, selection)
        if letters.others:
            console.errors.print(f"{letters.others} other records in the topic are no dead letters of the relay")


async def _show_table(letters: Browser, selection: Selection) -> None:
    table = LetterTable(console.out, letters.reading)
    counts: Counter[str] = Counter()
    waiting: list[Letter] = []

    def show_waiting(done: int, of: int) -> None:
        table.add(waiting)
        waiting.clear()

    async for letter in letters.letters(selection, show_waiting):
        counts[letter.code] += 1
        waiting.append(letter)
    if not counts:
        console.out.print(
            "There is no such dead letter." if not selection.is_everything else "There is no dead letter."
        )
        return
    told = ", ".join(f"{count} {visible(code)}" for code, count in counts.most_common())
    console.out.print(f"\n{counts.total()} dead letters: {told}", markup=False, soft_wrap=True)
