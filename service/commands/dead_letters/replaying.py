"""`holdings-relay dead-letters replay`: what failed, again. Shows what would be sent, asks, and sends it once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Final

import typer

from service.commands import console
from service.commands.console import Exit
from service.commands.dead_letters.asking import browser, run
from service.commands.dead_letters.forecast import has_anything_to_send, show_forecast
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
from service.commands.dead_letters.progress import telling
from service.commands.dead_letters.showing import POSITION
from service.commands.dead_letters.text import visible
from service.engine.ports import SourceUnavailable
from service.kafka.resending import Resender, TakenOver
from service.kafka.spans import SpanReader, TopicMissing
from service.kafka.topics import EXPORT_REQUESTS
from service.letters.letter import Letter, Reading
from service.letters.replaying import Preparation, Progress, send_all
from service.letters.selection import Selection
from service.letters.spool import Spool, SpoolFull
from service.routes import ROUTES
from service.settings import Settings

_RATE: Final = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(?:/([smh]))?")
_UNIT_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}
_GO_ON: Final = "Run it again: that sends the rest, and nothing twice."


def replay(
    positions: Annotated[
        list[str] | None, typer.Argument(metavar="[PARTITION:OFFSET]…", help="As `list` shows them.")
    ] = None,
    since: Since = None,
    until: Until = None,
    code: Codes = None,
    system: OfSystems = None,
    tenant: Tenant = None,
    entity: Entity = None,
    topic: Topics = None,
    event_id: EventId = None,
    event_type: EventType = None,
    everything: Annotated[bool, typer.Option("--all", help="All that are there; in place of filters.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be sent.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Those too that have been replayed already.")] = False,
    rate: Annotated[
        str | None, typer.Option(metavar="N[/s|/m|/h]", help="At most so many a second, a minute, an hour.")
    ] = None,
) -> None:
    """Send dead letters to the topics that they came from, after showing them and asking.

    A letter is replayed once. When the command is broken off, the same one again sends the rest. What a letter asks
    for may have been done in part: transfers and exports are asked about before they are repeated.

    Example: holdings-relay dead-letters replay --since 2h --code unavailable --rate 10/s

    Example: holdings-relay dead-letters replay 3:17 4:2 --yes
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
    places = _places(positions or [])
    _check_what_is_meant(selection, places, everything)
    per_second = _per_second(rate)
    try:
        with Spool() as spool:
            preparation = Preparation(spool, _inputs(settings), settings.topics.prefix + EXPORT_REQUESTS)
            run(_prepare(settings, preparation, selection, places))
            show_forecast(spool, Reading(settings.folio.tenant, settings.limits.event_bytes), force=force)
            if not dry_run and has_anything_to_send(spool, force=force):
                if not yes:
                    _ask(spool.count_to_send(force=force))
                _send(settings, preparation, spool, per_second, force=force)
            if spool.problems:
                raise typer.Exit(Exit.FAILED)
    except SpoolFull as error:
        console.fail(Exit.FAILED, str(error))


def _inputs(settings: Settings) -> frozenset[str]:
    return frozenset(settings.topics.prefix + route.topic for route in ROUTES)


def _places(positions: Sequence[str]) -> list[tuple[int, int]]:
    places: list[tuple[int, int]] = []
    for text in positions:
        found = POSITION.fullmatch(text)
        if found is None:
            raise typer.BadParameter(f"{text!r} is no position; give PARTITION:OFFSET, as `list` shows it")
        places.append((int(found[1]), int(found[2])))
    return places


def _check_what_is_meant(selection: Selection, places: Sequence[tuple[int, int]], everything: bool) -> None:
    given = [bool(places), not selection.is_everything, everything]
    if sum(given) == 0:
        raise typer.BadParameter("say which: positions, filters, or --all")
    if sum(given) > 1:
        raise typer.BadParameter("give positions, or filters, or --all, not several of them")


def _per_second(rate: str | None) -> float | None:
    if rate is None:
        return None
    found = _RATE.fullmatch(rate)
    per_second = float(found[1]) / _UNIT_SECONDS[found[2] or "s"] if found else 0.0
    if not per_second:
        raise typer.BadParameter(f"--rate: {rate!r} is no rate above 0; give 10/s, 30/m, or 100/h")
    return per_second


async def _prepare(
    settings: Settings, preparation: Preparation, selection: Selection, places: Sequence[tuple[int, int]]
) -> None:
    """Ends the command when a position is not that of a letter: then nothing is sent at all."""
    async with SpanReader(settings.kafka) as reader:
        await preparation.begin(reader)
        letters = browser(reader, settings)
        if places:
            found = [await letters.letter_at(*place) for place in places]
            faults = [one for one in found if isinstance(one, str)]
            if faults:
                console.fail(Exit.FAILED, "Nothing was sent:", *(f"  {visible(fault)}" for fault in faults))
            for one in found:
                if isinstance(one, Letter):
                    preparation.add(one)
        else:
            with telling("dead letters read") as told:
                async for letter in letters.letters(selection, told):
                    preparation.add(letter)
        with telling("input topics looked through") as told:
            await preparation.complete(told)


def _ask(count: int) -> None:
    try:
        agreed = typer.confirm(f"Send {count} of them?")
    except typer.Abort:  # nobody there to answer
        agreed = False
    if not agreed:
        console.fail(Exit.FAILED, "Nothing was sent; --yes sends without asking.")


def _send(settings: Settings, preparation: Preparation, spool: Spool, rate: float | None, *, force: bool) -> None:
    progress = Progress()
    try:
        console.run(_carry_out(settings, preparation, spool, progress, rate, force=force))
    except TakenOver:
        console.fail(Exit.FAILED, f"Another replay has begun: {progress.sent} were sent, and it goes on from there.")
    except (SourceUnavailable, TopicMissing) as error:
        console.fail(
            Exit.KAFKA,
            f"Kafka: {error}",
            f"{progress.sent} were sent; whether the next few were is not known. {_again(force)}",
        )
    except KeyboardInterrupt:
        console.fail(Exit.FAILED, f"Interrupted: {progress.sent} were sent. {_again(force)}")
    console.out.print(f"{progress.sent} were sent.")
    if progress.refused_count:
        more = progress.refused_count - len(progress.refused)
        reasons = [f"  {visible(reason)}" for reason in progress.refused] + ([f"  and {more} more"] if more else [])
        console.fail(Exit.FAILED, f"{progress.refused_count} were not sent:", *reasons)


def _again(force: bool) -> str:
    return "With --force all of them are sent again; without, the rest." if force else _GO_ON


async def _carry_out(
    settings: Settings,
    preparation: Preparation,
    spool: Spool,
    progress: Progress,
    rate: float | None,
    *,
    force: bool,
) -> None:
    """First make sure that nobody else sends, then see what others have sent, then send."""
    transactional = settings.delivery == "exactly_once"
    async with Resender(settings.kafka, transactional=transactional) as sender, SpanReader(settings.kafka) as reader:
        await preparation.begin(reader)
        with telling("input topics looked through") as told:
            await preparation.make_sure(told, force=force)
        count, done = spool.count_to_send(force=force), 0
        with telling("sent") as told:
            told(done, count)

            def add(more: int) -> None:
                nonlocal done
                done += more
                told(done, count)

            await send_all(sender, spool.to_send(force=force), progress, rate, add)
