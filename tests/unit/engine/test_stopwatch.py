"""Where the time of a record goes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.outcomes import TimeSpent
from service.engine.stopwatch import Phase, Stopwatch

TURNS = st.lists(st.tuples(st.sampled_from(Phase), st.floats(0, 1000)), max_size=20)


def test_each_phase_has_its_own_time_and_one_that_comes_again_adds_up() -> None:
    watch = Stopwatch(100.0)
    watch.turn(Phase.GATE, 101.0)
    watch.turn(Phase.CALL, 103.0)
    watch.turn(Phase.PAUSE, 106.0)
    watch.turn(Phase.CALL, 110.0)

    assert watch.read(115.0) == TimeSpent(lane=1.0, gate=2.0, call=8.0, pause=4.0)


@given(TURNS)
def test_the_phases_add_up_to_the_whole(turns: list[tuple[Phase, float]]) -> None:
    watch, now = Stopwatch(0.0), 0.0
    for phase, seconds in turns:
        now += seconds
        watch.turn(phase, now)

    assert sum(watch.read(now + 1)) == pytest.approx(now + 1)
