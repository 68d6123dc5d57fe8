"""Whole workers through random courses of crashes, rebalances, lost commits and stumbling systems.

A failing course is named by its seed, and takes the same course again: `pytest -k "[seed-117]"`.
"""

from __future__ import annotations

import pytest

from tests.fakes.chaos import Chaos
from tests.fakes.virtual_time import run_virtually

SEEDS = range(300)


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: f"seed-{seed}")
def test_whatever_happens_every_event_has_one_result_in_order_and_no_transfer_is_made_twice(seed: int) -> None:
    chaos = Chaos(seed)

    run_virtually(chaos.live())

    assert chaos.faults() == []


def test_a_seed_takes_the_same_course_again() -> None:
    courses = []
    for _ in range(2):
        chaos = Chaos(7)
        run_virtually(chaos.live())
        courses.append(
            [(commit.owner, commit.partition, commit.offset, commit.metadata) for commit in chaos.broker.commits]
        )

    assert courses[0] == courses[1]


def test_the_courses_together_meet_every_kind_of_trouble() -> None:
    """Chaos in which all goes well would prove nothing."""
    met: set[str] = set()
    for seed in range(60):
        chaos = Chaos(seed)
        run_virtually(chaos.live())
        met |= chaos.met

    assert met == {
        "a call was repeated",
        "a call was retried",
        "a commit was not stored",
        "a mark was inherited",
        "a partition was lost",
        "a record was dropped",
        "a transfer was found done",
        "finished work was inherited",
        "Kafka was away",
    }
