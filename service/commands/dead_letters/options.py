"""The filters that `list` and `replay` share: their options, and what is wrong with what was given."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import Annotated, TypeAlias

import typer

from service.domain.codes import Code
from service.letters.selection import Selection, moment_of
from service.routes import ROUTES

_SYSTEMS = ("eholdings", "inventory", "holdings-sources", "scsb", "holdingsiq")

Since: TypeAlias = Annotated[
    str | None, typer.Option(metavar="MOMENT", help="Failed then or later: 2026-01-31, 2026-01-31T12:00:00Z, 2h.")
]
Until: TypeAlias = Annotated[str | None, typer.Option(metavar="MOMENT", help="Failed before that.")]
Codes: TypeAlias = Annotated[
    list[str] | None, typer.Option("--code", help="Why it failed, as in docs/codes.md. May be given repeatedly.")
]
OfSystems: TypeAlias = Annotated[
    list[str] | None, typer.Option("--system", help="Where it failed. May be given repeatedly.")
]
Tenant: TypeAlias = Annotated[str | None, typer.Option(help="Of this FOLIO tenant; the default tenant counts.")]
Entity: TypeAlias = Annotated[
    str | None, typer.Option(help="Key of the record, target of an operation, or an entity that the event touches.")
]
Topics: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--topic", help="The input topic it came from, with or without prefix. May be given repeatedly."),
]
EventId: TypeAlias = Annotated[str | None, typer.Option(help="`id` of the event.")]
EventType: TypeAlias = Annotated[str | None, typer.Option(help="`type` of the event.")]


def selection_of(
    prefix: str,
    *,
    since: str | None,
    until: str | None,
    codes: Sequence[str] | None,
    systems: Sequence[str] | None,
    tenant: str | None,
    entity: str | None,
    topics: Sequence[str] | None,
    event_id: str | None,
    event_type: str | None,
) -> Selection:
    """What was given as options. Ends with wrong usage where one of them can fit nothing."""
    now = time.time()
    first, last = _moment("--since", since, now), _moment("--until", until, now)
    if first is not None and last is not None and first >= last:
        raise typer.BadParameter(f"--since {since} is not before --until {until}")
    inputs = {name: prefix + route.topic for route in ROUTES for name in (route.topic, prefix + route.topic)}
    for name, given in {
        "--tenant": tenant,
        "--entity": entity,
        "--event-id": event_id,
        "--event-type": event_type,
    }.items():
        if given is not None and not given:
            raise typer.BadParameter(f"{name}: must not be empty")
    return Selection(
        first,
        last,
        _known("--code", codes, [code.value for code in Code]),
        _known("--system", systems, _SYSTEMS),
        frozenset(inputs[name] for name in _known("--topic", topics, list(inputs))),
        tenant,
        entity,
        event_id,
        event_type,
    )


def _moment(option: str, text: str | None, now: float) -> float | None:
    try:
        return None if text is None else moment_of(text, lambda: now)
    except ValueError as error:
        raise typer.BadParameter(f"{option}: {error}") from None


def _known(option: str, given: Sequence[str] | None, known: Collection[str]) -> frozenset[str]:
    for word in given or ():
        if word not in known:
            raise typer.BadParameter(f"{option}: {word!r} is none of {', '.join(known)}")
    return frozenset(given or ())
