"""The plan of a run: which blows fall, on whom, and with how long a pause before each. Pure; one seed fixes it.

How long things take differs from run to run; the order of the blows and whom they strike does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import cycle
from random import Random
from typing import TypeAlias

from tests.chaos.troubles import SYSTEMS, Trouble, pairs

SESSION_SECONDS = 2
"""Of the workers: as short as lets a busy machine pass for a living one."""

FIRST_WORKERS = (0, 1)
ALL_WORKERS = (0, 1, 2)


@dataclass(frozen=True, slots=True)
class Kill:
    """SIGKILL, all at once; each is started again at once."""

    workers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Terminate:
    """SIGTERM; the worker must end with 0, and is started again."""

    worker: int


@dataclass(frozen=True, slots=True)
class Suspend:
    """SIGSTOP for longer than a session, then SIGCONT. Meanwhile another worker may be killed."""

    worker: int
    seconds: float
    killed_meanwhile: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class StopBroker:
    """The broker goes away, in good order or by SIGKILL, and comes back. Meanwhile a worker may be killed."""

    crash: bool
    seconds: float
    killed_meanwhile: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Join:
    """One more worker."""

    worker: int


@dataclass(frozen=True, slots=True)
class Leave:
    """SIGTERM; the worker must end with 0, and is not started again."""

    worker: int


@dataclass(frozen=True, slots=True)
class Burst:
    """The next calls of a system meet trouble. Other blows fall meanwhile.

    HoldingsIQ meets it less often in a row: each of its customers has a circuit of its own, and few calls.
    """

    system: str
    trouble: Trouble
    times: int


Blow: TypeAlias = Kill | Terminate | Suspend | StopBroker | Join | Leave | Burst


@dataclass(frozen=True, slots=True)
class Step:
    """A blow, `pause_seconds` after everybody has recovered from the last, and no sooner than `results` are there."""

    blow: Blow
    pause_seconds: float = 0.0
    results: int = 0


@dataclass(frozen=True, slots=True)
class Measure:
    """How much of everything a plan holds. Kills are at least so many."""

    kills: int
    suspensions: int
    terminations: int
    broker_stops: int
    joins: int
    bursts: int


LONG = Measure(kills=300, suspensions=20, terminations=25, broker_stops=10, joins=12, bursts=144)
SHORT = Measure(kills=14, suspensions=2, terminations=2, broker_stops=2, joins=2, bursts=18)


MEANWHILE_SHARE = 0.5
"""Of suspensions and outages in which a worker is killed as well."""
TWO_AT_ONCE_SHARE = 0.25
"""Of kills that strike two workers."""
LONGEST_PAUSE_SECONDS = 1.5


def plan(seed: int, measure: Measure) -> list[Step]:
    """Everything in a random order, over two workers and, now and then, a third.

    Bursts go by all pairs of system and trouble in turn, outages by crash and good order.
    """
    random = Random(seed)
    names = [name for name, count in _others(measure) for _ in range(count)]
    names += ["kill"] * max(0, round(measure.kills / (1 + TWO_AT_ONCE_SHARE)))
    random.shuffle(names)
    draft = _Draft(random)
    steps = [draft.step(name) for name in names]
    while kills_in(steps) < measure.kills:
        steps.append(draft.step("kill"))
    return steps


def kills_in(steps: Sequence[Step]) -> int:
    """How many workers are killed."""
    return sum(len(killed_by(step.blow)) for step in steps)


def killed_by(blow: Blow) -> tuple[int, ...]:
    match blow:
        case Kill(workers):
            return workers
        case Suspend(killed_meanwhile=killed) | StopBroker(killed_meanwhile=killed):
            return killed
        case _:
            return ()


def _others(measure: Measure) -> tuple[tuple[str, int], ...]:
    return (
        ("suspend", measure.suspensions),
        ("terminate", measure.terminations),
        ("stop broker", measure.broker_stops),
        ("join or leave", 2 * measure.joins),
        ("burst", measure.bursts),
    )


class _Draft:
    """Turns names of blows into blows, one after the other, and keeps who is at work."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._at_work = list(FIRST_WORKERS)
        self._pairs = cycle(pairs(random.sample(SYSTEMS, len(SYSTEMS)), random.sample(list(Trouble), len(Trouble))))
        self._crashes = cycle((True, False))

    def step(self, name: str) -> Step:
        return Step(self._blow(name), self._random.uniform(0, LONGEST_PAUSE_SECONDS))

    def _blow(self, name: str) -> Blow:
        random, at_work = self._random, self._at_work
        match name:
            case "kill":
                return Kill(tuple(random.sample(at_work, 2 if random.random() < TWO_AT_ONCE_SHARE else 1)))
            case "terminate":
                return Terminate(random.choice(at_work))
            case "suspend":
                worker = random.choice(at_work)
                seconds = SESSION_SECONDS + random.uniform(1, 3)
                return Suspend(worker, seconds, self._one_of(other for other in at_work if other != worker))
            case "stop broker":
                return StopBroker(next(self._crashes), random.uniform(0.5, 5), self._one_of(at_work))
            case "burst":
                system, trouble = next(self._pairs)
                times = random.randint(3, 12)
                return Burst(system, trouble, -(-times // 4) if system == "holdingsiq" else times)
            case _:
                return self._join_or_leave()

    def _one_of(self, workers: Iterable[int]) -> tuple[int, ...]:
        return (self._random.choice(list(workers)),) if self._random.random() < MEANWHILE_SHARE else ()

    def _join_or_leave(self) -> Blow:
        absent = [worker for worker in ALL_WORKERS if worker not in self._at_work]
        if absent:
            self._at_work.append(absent[0])
            return Join(absent[0])
        leaving = self._random.choice(self._at_work)
        self._at_work.remove(leaving)
        return Leave(leaving)
