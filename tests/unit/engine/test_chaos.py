"""Whole workers through random courses of crashes, suspensions, rebalances, lost commits and stumbling systems, and
through one fixed course with a blow at every step.

A failing course is named by its seed, and takes the same course again: `pytest -k "[seed-117]"`.
"""

from __future__ import annotations

from typing import get_args

import pytest

from tests.fakes.chaos import Chaos
from tests.fakes.every_step import BLOWS, Blow, steps_undisturbed, strike_at
from tests.fakes.source import Delivery
from tests.fakes.virtual_time import run_virtually

SEEDS = range(250)
STRIPES = 4
"""Of the steps, so that each test is a short one."""


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: f"seed-{seed}")
def test_whatever_happens_every_event_has_one_result_and_every_row_in_order_and_nothing_is_made_twice(
    seed: int,
) -> None:
    chaos = Chaos(seed)

    run_virtually(chaos.live())

    assert chaos.stage.faults() == []


@pytest.mark.parametrize("delivery", get_args(Delivery))
@pytest.mark.parametrize("blow", BLOWS)
@pytest.mark.parametrize("stripe", range(STRIPES))
def test_at_whatever_step_a_worker_is_struck_every_guarantee_holds(delivery: Delivery, blow: Blow, stripe: int) -> None:
    faults = {}
    for number in range(1 + stripe, steps_undisturbed(delivery) + 1, STRIPES):
        course = strike_at(number, blow, delivery)
        assert course.struck
        faults[number] = course.stage.faults()

    assert {number: found for number, found in faults.items() if found} == {}


@pytest.mark.parametrize("delivery", get_args(Delivery))
def test_undisturbed_every_event_has_exactly_one_result_in_either_mode(delivery: Delivery) -> None:
    course = strike_at(0, "killed", delivery)

    assert (course.struck, course.stage.faults()) == (False, [])
    assert "a result was published again" not in course.stage.met
    assert "a call was retried" in course.stage.met


def test_a_seed_takes_the_same_course_again() -> None:
    courses = []
    for _ in range(2):
        chaos = Chaos(7)
        run_virtually(chaos.live())
        courses.append(
            [(commit.owner, commit.partition, commit.offset, commit.metadata) for commit in chaos.stage.broker.commits]
        )

    assert courses[0] == courses[1]


def test_the_courses_together_meet_every_kind_of_trouble() -> None:
    """Chaos in which all goes well would prove nothing."""
    met: set[str] = set()
    for seed in range(60):
        chaos = Chaos(seed)
        run_virtually(chaos.live())
        met |= chaos.stage.met

    assert met == {
        "a call was repeated",
        "a call was retried",
        "a commit was not stored",
        "a download was cut",
        "a download was gone on with",
        "a mark was inherited",
        "a partition was lost",
        "a record was dropped",
        "a result was published again",
        "a silence of the group was noticed",
        "a sleep was noticed",
        "a transfer was found done",
        "an outcome was held",
        "a worker slept",
        "a worker was killed",
        "a worker was replaced in its sleep",
        "an export was found in the list",
        "an export was gone on with",
        "finished work was inherited",
        "updates left together",
        "updates were refused together",
        "Kafka was away",
    }
