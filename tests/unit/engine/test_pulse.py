"""A worker notices that it was suspended, and proves its partitions before it calls anybody."""

import pytest

from service.engine.pulse import Pulse


class Clock:
    """Shows what it is set to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(("missed", "noticed"), [(1.0, []), (5.0, []), (5.1, [5.1]), (3600.0, [3600.0])])
def test_only_a_jump_beyond_the_limit_is_a_suspension(missed: float, noticed: list[float]) -> None:
    clock, jumps = Clock(), list[float]()
    pulse = Pulse(5.0, clock, jumps.append)

    clock.now += missed
    pulse.feel()

    assert jumps == pytest.approx(noticed)


def test_one_suspension_is_noticed_once() -> None:
    clock, jumps = Clock(), list[float]()
    pulse = Pulse(5.0, clock, jumps.append)

    clock.now += 60.0
    pulse.feel()
    pulse.feel()

    assert len(jumps) == 1


def test_a_pulse_felt_often_enough_never_jumps() -> None:
    clock, jumps = Clock(), list[float]()
    pulse = Pulse(5.0, clock, jumps.append)

    for _ in range(1000):
        clock.now += pulse.interval_seconds
        pulse.feel()

    assert not jumps
