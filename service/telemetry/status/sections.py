"""The sections of the page, one after the other. Says what there is none of, rather than nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from service.engine.state import RepeatState
from service.telemetry.status.markup import Html, duration, element, foreign, joined, table, text, time_of
from service.telemetry.status.snapshot import CircuitStatus, QuotaStatus, Status
from service.telemetry.throughput import LONG_SECONDS, SHORT_SECONDS

MOST_ROWS: Final = 50
"""Of one table."""
OUTCOMES: Final = ("succeeded", "unchanged", "partial", "failed")
UNKNOWN: Final = "not known"


def sections(status: Status) -> list[Html]:
    return [
        _section("throughput", "Throughput", _throughput(status)),
        _section("lag", "Lag", _lag(status)),
        _section("repeats", "Records that wait for a retry", _repeats(status)),
        _section("circuits", "Open circuits", _circuits(status)),
        _section("quotas", "Daily quotas", _quotas(status)),
        _section("failures", "Latest failures", _failures(status)),
    ]


def _section(name: str, heading: str, content: Html) -> Html:
    return Html(
        f'<section aria-labelledby="{name}"><h2 id="{name}">{text(heading).markup}</h2>{content.markup}</section>'
    )


def _throughput(status: Status) -> Html:
    rates, worker = status.standing.rates, status.standing.worker
    return _figures(
        (f"Events/s, last {SHORT_SECONDS:.0f} s", _rate(rates.short)),
        (f"Events/s, last {LONG_SECONDS:.0f} s", _rate(rates.long)),
        ("In work", f"{worker.jobs:,}"),
        ("Of those, running", f"{worker.running:,}"),
        *((f"{outcome.capitalize()}, since start", f"{status.settled.get(outcome, 0):,}") for outcome in OUTCOMES),
    )


def _lag(status: Status) -> Html:
    partitions = status.partitions
    if not partitions:
        return _none("This worker owns no partition.")
    total = UNKNOWN if status.lag is None else f"{status.lag:,}"
    columns = ("Partition", "Lag", "Oldest unfinished", "In memory", "Cannot be stored", "Intake")
    rows = [
        (
            foreign(str(state.partition)),
            text(UNKNOWN if (lag := status.standing.lag(state)) is None else f"{lag:,}"),
            text("none" if state.oldest_since is None else duration(status.standing.oldest_seconds(state)) + " old"),
            text(f"{state.unsettled:,}"),
            text(f"{state.held:,}"),
            text("rests" if state.rests else "open"),
        )
        for state in partitions
    ]
    figures = _figures(("Records behind, in all", total), ("Partitions", f"{len(partitions):,}"))
    return joined((figures, _table("lag", columns, rows, len(rows))), "")


def _repeats(status: Status) -> Html:
    worker = status.standing.worker
    if not worker.repeating:
        return _none("No record waits for a retry.")
    columns = ("Entity", "System", "Attempts", "Reason", "Next attempt", "Event")
    rows = [
        (
            _entities(repeat),
            _system(repeat.system, repeat.tenant),
            text(repeat.attempts),
            foreign(repeat.message),
            _next_attempt(status, repeat),
            joined((foreign(repeat.event_id), text(f"({repeat.partition}@{repeat.offset})"))),
        )
        for repeat in worker.repeats
    ]
    return _table("repeats", columns, rows, worker.repeating)


def _entities(repeat: RepeatState) -> Html:
    more = repeat.entity_count - len(repeat.entities)
    named = [foreign(name) for name in repeat.entities] or [text("none")]
    return joined((*named, text(f"and {more:,} more")) if more else named, ", ")


def _next_attempt(status: Status, repeat: RepeatState) -> Html:
    at = status.next_attempt_at(repeat)
    if at is None:
        return text("when its circuit closes")
    return text("due; it waits for its turn") if repeat.due_in_seconds == 0 else time_of(at, status.now)


def _circuits(status: Status) -> Html:
    circuits = status.circuits
    if not circuits:
        return _none("No circuit is open: every system is asked.")
    columns = ("System", "Reason", "Open since", "Next probe", "Waiting", "What the system said")
    rows = [
        (
            _system(circuit.system, circuit.tenant),
            text(circuit.reason),
            time_of(circuit.since, status.now),
            _next_probe(status, circuit),
            text(f"{circuit.waiting:,}"),
            foreign(circuit.message),
        )
        for circuit in circuits
    ]
    return _table("circuits", columns, rows, len(rows))


def _next_probe(status: Status, circuit: CircuitStatus) -> Html:
    if circuit.probing:
        return text("one is under way")
    return text(UNKNOWN) if circuit.probe_at is None else _due(status, circuit.probe_at)


def _due(status: Status, at: float) -> Html:
    """A probe is made by a record; where none has come, it is due for as long as that takes."""
    return time_of(at, status.now) if at > status.now else text("with the next record that needs it")


def _quotas(status: Status) -> Html:
    if not status.quotas:
        return _none("No system with a daily quota was called yet.")
    columns = ("System", "State", "Asked again")
    rows = [(_system(quota.system, quota.tenant), *_quota(status, quota)) for quota in status.quotas]
    return _table("quotas", columns, rows, len(rows))


def _quota(status: Status, quota: QuotaStatus) -> tuple[Html, Html]:
    if quota.spent_since is None:
        return text("not known to be spent; the system does not say how much is left"), text("–")
    asked = text(UNKNOWN) if quota.probe_at is None else _due(status, quota.probe_at)
    return joined((text("spent, since"), time_of(quota.spent_since, status.now))), asked


def _failures(status: Status) -> Html:
    if not status.failures:
        return _none("No event has failed since this worker started.")
    columns = ("Failed", "Code", "System", "Target", "Message", "Event")
    rows = [
        (
            time_of(failure.at, status.now),
            text(failure.code),
            foreign(failure.system),
            foreign(failure.target),
            foreign(failure.message),
            joined((foreign(failure.event_id), text(f"({failure.partition}@{failure.offset})"))),
        )
        for failure in status.failures
    ]
    return _table("failures", columns, rows, len(rows))


def _system(system: str, tenant: str | None) -> Html:
    return foreign(system) if tenant is None else joined((foreign(system), text("for"), foreign(tenant)))


def _rate(per_second: float | None) -> str:
    return UNKNOWN if per_second is None else f"{per_second:,.1f}"


def _figures(*figures: tuple[str, str]) -> Html:
    pairs = (Html(f"<div><dt>{text(name).markup}</dt><dd>{text(value).markup}</dd></div>") for name, value in figures)
    return element("dl", *pairs)


def _table(name: str, columns: Sequence[str], rows: Sequence[Sequence[Html]], count: int) -> Html:
    """Of `count` there are; the first `MOST_ROWS` are shown."""
    shown = rows[:MOST_ROWS]
    made = table(name, columns, shown)
    left = count - len(shown)
    return joined((made, element("p", text(f"and {left:,} more"), css="quiet")), "") if left else made


def _none(words: str) -> Html:
    return element("p", text(words), css="quiet")
