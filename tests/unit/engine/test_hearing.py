"""A worker notices that its group has fallen silent, and that it is heard of again."""

from __future__ import annotations

import pytest

from service.engine.hearing import Hearing


class Group:
    """Has been silent for as long as it says; knows what was made of that."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.told: list[object] = []
        self.hearing = Hearing(5.0, lambda: self.seconds, self.told.append, lambda: self.told.append("again"))

    def silent_for(self, seconds: float) -> None:
        self.seconds = seconds
        self.hearing.listen()


@pytest.mark.parametrize(("seconds", "told"), [(0.0, []), (5.0, []), (5.1, [5.1])])
def test_only_a_silence_beyond_the_limit_is_noticed(seconds: float, told: list[object]) -> None:
    group = Group()

    group.silent_for(seconds)

    assert group.told == told


def test_one_silence_is_noticed_once_and_so_is_its_end() -> None:
    group = Group()

    for seconds in (6.0, 7.0, 8.0, 0.0, 1.0, 9.0):
        group.silent_for(seconds)

    assert group.told == [6.0, "again", 9.0]
