"""`holdings-relay dead-letters show`: one dead letter with all that is known of it."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from typing import Annotated, Final

import typer

from service.commands import console
from service.commands.console import Exit
from service.commands.dead_letters.asking import browser, run
from service.commands.dead_letters.text import bounded, pretty, text_of, visible
from service.domain.advice import advice_on
from service.kafka.records_out import is_secret
from service.kafka.spans import SpanReader
from service.letters.browsing import Browser
from service.letters.letter import Letter, LetterEvent, Reading, rfc3339
from service.letters.selection import Selection
from service.settings import Settings

POSITION: Final = re.compile(r"(\d{1,9}):(\d{1,18})")
SHOWN_CHARACTERS: Final = 16_384
"""Of an event, unless the whole is asked for."""
_PLACES_TOLD: Final = 20


def show(
    which: Annotated[str, typer.Argument(metavar="PARTITION:OFFSET|EVENT-ID", help="As `list` shows them.")],
    whole: Annotated[bool, typer.Option("--whole", help=f"All of an event of over {SHOWN_CHARACTERS} characters.")] = (
        False
    ),
) -> None:
    """Show one dead letter: why it failed, in the system's own words, what to do, its headers, and its event.

    Example: holdings-relay dead-letters show 3:17

    Example: holdings-relay dead-letters show 7f0c
    """
    settings = console.settings()
    found = run(_find(settings, which))
    if isinstance(found, str):
        console.fail(Exit.FAILED, visible(found))
    reading = Reading(settings.folio.tenant, settings.limits.event_bytes)
    for line in describe(found, reading.event(found), whole=whole):
        console.out.out(line, highlight=False)


async def _find(settings: Settings, which: str) -> Letter | str:
    """The letter, or why there is not one."""
    async with SpanReader(settings.kafka) as reader:
        letters = browser(reader, settings)
        if position := POSITION.fullmatch(which):
            return await letters.letter_at(int(position[1]), int(position[2]))
        return await _find_event(letters, which)


async def _find_event(letters: Browser, event_id: str) -> Letter | str:
    count, newest = 0, deque[Letter](maxlen=_PLACES_TOLD)
    async for letter in letters.letters(Selection(event_id=event_id)):
        count += 1
        newest.append(letter)
    if count == 0:
        return f"there is no dead letter of an event with the id {event_id}"
    if count == 1:
        return newest[0]
    places = ", ".join(
        f"{one.place.partition}:{one.place.offset} ({one.code}, {rfc3339(one.failed_at)})" for one in newest
    )
    more = f" (the last {_PLACES_TOLD})" if count > _PLACES_TOLD else ""
    return f"{count} dead letters are of events with the id {event_id}; show one of them{more}: {places}"


def describe(letter: Letter, event: LetterEvent, *, whole: bool) -> Iterator[str]:
    """Lines for people, with nothing in them that could steer a terminal."""
    advice = advice_on(letter.code)
    told = {
        "letter": f"{letter.place.partition}:{letter.place.offset} of {letter.place.topic}",
        "failed at": rfc3339(letter.failed_at),
        "code": letter.code,
        "means": advice.meaning if advice else "a word that this version of the relay does not know",
        "what to do": advice.remedy if advice else None,
        "system": letter.system,
        "status": letter.status,
        "attempts": letter.attempts,
        "words": letter.message,
        "came from": f"{letter.origin}@{letter.origin_offset}",
        "event id": event.identity.id,
        "event source": event.identity.source,
        "event type": event.identity.type,
        "tenant": event.tenant,
        "key": None if letter.key is None else text_of(letter.key),
    }
    for name, content in told.items():
        if content is not None:
            yield f"{name:<13}{visible(content)}"
    yield ""
    yield f"headers ({len(letter.headers)})"
    for name, value in letter.headers:
        yield f"  {visible(name)}: {_header(name, value)}"
    yield ""
    if letter.value is None:
        yield "event: the record has no value"
        return
    yield f"event ({len(letter.value)} bytes)"
    shown = pretty(letter.value)
    shown, left_out = (shown, 0) if whole else bounded(shown, SHOWN_CHARACTERS)
    yield shown
    if left_out:
        yield f"… and {left_out} more characters; --whole shows all of it"


def _header(name: str, value: bytes | None) -> str:
    if is_secret(name):
        return "(a secret)"
    return "(no value)" if value is None else text_of(value)
