"""The plan of a run: fixed by its seed, as much of everything as was asked for, and only on workers that are there."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.chaos.plan import (
    ALL_WORKERS,
    FIRST_WORKERS,
    LONG,
    SESSION_SECONDS,
    SHORT,
    Burst,
    Join,
    Kill,
    Leave,
    Measure,
    Step,
    StopBroker,
    Suspend,
    Terminate,
    killed_by,
    kills_in,
    plan,
)
from tests.chaos.troubles import SYSTEMS, Trouble, fault_of, pairs

MEASURES = pytest.mark.parametrize("measure", [LONG, SHORT], ids=["long", "short"])
SEEDS = range(50)


def counted(steps: list[Step]) -> Counter[type]:
    return Counter(type(step.blow) for step in steps)


def test_a_seed_gives_the_same_plan_again_and_another_seed_another() -> None:
    assert plan(3, LONG) == plan(3, LONG)
    assert plan(3, LONG) != plan(4, LONG)


def test_the_long_plan_has_at_least_300_kills_and_20_suspensions() -> None:
    steps = plan(0, LONG)

    assert kills_in(steps) >= 300
    assert counted(steps)[Suspend] >= 20


@MEASURES
@pytest.mark.parametrize("seed", SEEDS)
def test_a_plan_holds_as_much_of_everything_as_it_should(measure: Measure, seed: int) -> None:
    steps = plan(seed, measure)
    count = counted(steps)

    assert kills_in(steps) >= measure.kills
    assert count[Suspend] == measure.suspensions
    assert count[Terminate] == measure.terminations
    assert count[StopBroker] == measure.broker_stops
    assert count[Join] == count[Leave] == measure.joins
    assert count[Burst] == measure.bursts


@MEASURES
def test_the_broker_is_stopped_in_good_order_and_killed_as_often(measure: Measure) -> None:
    crashes = Counter(step.blow.crash for step in plan(1, measure) if isinstance(step.blow, StopBroker))

    assert crashes[True] == crashes[False] == measure.broker_stops // 2


@MEASURES
def test_every_system_meets_trouble_in_every_plan_and_in_the_long_one_of_every_kind(measure: Measure) -> None:
    bursts = [step.blow for step in plan(1, measure) if isinstance(step.blow, Burst)]

    assert {burst.system for burst in bursts} == set(SYSTEMS)
    assert {burst.trouble for burst in bursts} == set(Trouble)
    if measure is LONG:
        assert {(burst.system, burst.trouble) for burst in bursts} == set(pairs())


@pytest.mark.parametrize("seed", SEEDS)
def test_only_workers_that_are_at_work_are_struck_and_there_are_always_two_or_three(seed: int) -> None:
    at_work = set(FIRST_WORKERS)
    for step in plan(seed, LONG):
        match step.blow:
            case Join(worker):
                assert worker in ALL_WORKERS
                assert worker not in at_work
                at_work.add(worker)
            case Leave(worker):
                at_work.remove(worker)
            case Terminate(worker):
                assert worker in at_work
            case Suspend(worker, seconds, killed):
                assert {worker, *killed} <= at_work
                assert worker not in killed
                assert seconds > SESSION_SECONDS
            case Kill() | StopBroker():
                assert set(killed_by(step.blow)) <= at_work
            case Burst(system, trouble, times):
                assert fault_of(system, trouble, times).times == times
        assert len(at_work) in (2, 3)
