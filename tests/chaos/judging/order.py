"""Calls for one entity are made in the order of its events, one at a time, and never for what is finished. One call may
be for several of them that follow one another.

What a worker had under way when it was killed or suspended may still be running while the next owner works: nobody
calls it back. So may a call that was under way when the broker went away for longer than the session of its worker.
That, and nothing else, excuses two calls at a time, but for two looks at an export: no rebalance waits for those, and
they change nothing. Only a worker that was killed or suspended, or whose broker was away, excuses going back to an
earlier event.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from service.engine.hearing import SHARE_OF_SESSION
from tests.chaos.events import Event, Fate
from tests.chaos.evidence import Call, Evidence
from tests.chaos.plan import SESSION_SECONDS

ARRIVAL_SECONDS = 0.5
"""So much later than it left may a call arrive: it lies in a buffer while the sandbox is busy."""
CLOCK_SECONDS = 0.5
"""By which the clocks of Kafka's records and of the ledger may differ."""
AFTER_OUTAGE_SECONDS = 30.0
"""So long after an outage of the broker a worker may find out that a commit was not stored, and begin anew."""

UNHEARD_SECONDS = SESSION_SECONDS * SHARE_OF_SESSION
"""So long after it has heard of its group last, at the beginning of an outage at the latest, a worker calls nobody."""


class _Turn(NamedTuple):
    """A call, as one entity sees it: for its events from `number` to `last`, in their order. When it comes to nothing
    they are attempted again one by one."""

    call: Call
    number: int
    last: int


def faults_of_order(evidence: Evidence, *, once: bool) -> Iterator[str]:
    events = evidence.events()
    turns: dict[str, list[_Turn]] = defaultdict(list)
    silent: dict[str, set[int]] = defaultdict(set)
    for published in events.values():
        if _may_be_silent(published):
            for entity, number in published.entities.items():
                silent[entity].add(number)
    for call in sorted(evidence.calls, key=lambda made: made.began_at):
        numbers: dict[str, list[int]] = defaultdict(list)
        for index in call.events:
            event = events.get(index)
            if event is None:
                yield f"{call.system}: a {call.method} that no event asks for"
                continue
            for entity, number in event.entities.items():
                numbers[entity].append(number)
        for entity, carried in numbers.items():
            turns[entity].append(_Turn(call, min(carried), max(carried)))
    for entity, its_turns in turns.items():
        yield from _overlaps(entity, its_turns, evidence)
        yield from _steps(entity, its_turns, evidence, silent[entity])
    if once:
        yield from _calls_for_finished(evidence, events)


def _may_be_silent(event: Event) -> bool:
    """Whether the read of an earlier update may have done for it: there is nothing to write."""
    alone = len(event.entities) == 1 and next(iter(event.entities)).startswith("eholdings:")
    return alone and (event.again or event.fate is Fate.REFUSED)


def _overlaps(entity: str, turns: Sequence[_Turn], evidence: Evidence) -> Iterator[str]:
    running: list[_Turn] = []
    for turn in turns:
        running = [earlier for earlier in running if earlier.call.ended_at > turn.call.began_at]
        yield from (
            f"{entity}: a call for its event {turn.number} ({_maker(turn.call, evidence)}) began while one for its "
            f"event {earlier.number} ({_maker(earlier.call, evidence)}) was running"
            for earlier in running
            if not (
                (_looks_at_an_export(earlier.call) and _looks_at_an_export(turn.call))
                or _was_a_look_broken_off(earlier, turn)
                or _was_left_behind(earlier.call, turn.call.began_at, evidence)
                or _was_cut_off(earlier.call, turn.call, evidence)
            )
        )
        running.append(turn)


def _looks_at_an_export(call: Call) -> bool:
    return call.system == "holdingsiq" and not call.writes


def _was_a_look_broken_off(earlier: _Turn, later: _Turn) -> bool:
    """Whether the first may be a look that a rebalance has broken off: a slow system goes on with it, for nobody, while
    the next owner comes to the end of that export and begins the next."""
    return _looks_at_an_export(earlier.call) and earlier.call.life != later.call.life and later.number > earlier.last


def _was_left_behind(call: Call, now: float, evidence: Evidence) -> bool:
    """Whether the call was under way when its worker was killed or suspended, some time before `now`."""
    return any(
        call.began_at - ARRIVAL_SECONDS <= blow.at <= now and blow.at <= call.ended_at
        for blow in evidence.lives[call.life].blows
    )


def _was_cut_off(earlier: Call, later: Call, evidence: Evidence) -> bool:
    """Whether the calls are of two workers, and the first was under way when its worker lost sight of its group in an
    outage, in which the group may have lost sight of the worker."""
    return earlier.life != later.life and any(
        earlier.began_at - ARRIVAL_SECONDS <= outage.gone_at + UNHEARD_SECONDS
        and outage.at <= earlier.ended_at
        and outage.at <= later.began_at
        for outage in evidence.outages
    )


def _steps(entity: str, turns: Sequence[_Turn], evidence: Evidence, silent: Collection[int]) -> Iterator[str]:
    number, last, previous = 0, 0, None
    for turn in turns:
        overtaken = [earlier for earlier in range(last + 1, turn.number) if earlier not in silent]
        if overtaken:
            yield f"{entity}: its event {turn.number} came before its event {overtaken[0]}"
        if turn.number < number and previous and not _was_interrupted(previous, turn.call, evidence):
            yield (
                f"{entity}: its event {turn.number} came again ({_maker(turn.call, evidence)}) after its event "
                f"{number} ({_maker(previous, evidence)}), and nothing had happened to the latter's worker"
            )
        number, last, previous = turn.number, max(last, turn.last), turn.call


def _was_interrupted(before: Call, after: Call, evidence: Evidence) -> bool:
    """Whether the worker that made the first call was struck, or the broker was away, between two calls."""
    struck = any(
        before.began_at - ARRIVAL_SECONDS <= blow.until and blow.at <= after.began_at
        for blow in evidence.lives[before.life].blows
    )
    return struck or any(
        outage.at <= after.began_at and before.began_at <= outage.until + AFTER_OUTAGE_SECONDS
        for outage in evidence.outages
    )


def _calls_for_finished(evidence: Evidence, events: Mapping[int, Event]) -> Iterator[str]:
    """Once an event's result is stored, its position is, and whoever works on knows it."""
    index_at = {placed.place: placed.event.index for placed in evidence.placed}
    sent_at = {index_at[result.place]: result.sent_at for result in evidence.results if result.place in index_at}
    for call in evidence.calls:
        for index in call.events:
            late = call.began_at - sent_at.get(index, call.began_at)
            if late > CLOCK_SECONDS:
                entities = ", ".join(events[index].entities)
                yield (
                    f"{entities}: a {call.method} of {call.system} for event {index} ({_maker(call, evidence)}) began "
                    f"{late:.1f} s after its result had been stored"
                )


def _maker(call: Call, evidence: Evidence) -> str:
    """Who made a call, and what had befallen it before."""
    life = evidence.lives[call.life]
    blows = [f"{blow.blow} {call.began_at - blow.at:.1f} s before" for blow in life.blows if blow.at <= call.began_at]
    return ", ".join((f"{call.method} of worker {life.worker}", *blows))
