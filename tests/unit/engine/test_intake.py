"""How much a worker takes into memory: a share for each partition, and more for whoever needs it."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from service.domain.record import Partition
from service.engine.intake import METADATA_HIGH_BYTES, METADATA_LOW_BYTES, IntakeLimits, Throttle

ONE, TWO = Partition("changes", 0), Partition("changes", 1)
LIMITS = IntakeLimits(records=100, bytes=10_000)


@dataclass(frozen=True, slots=True)
class FakeLoad:
    unsettled: int = 0
    unsettled_bytes: int = 0
    metadata_bytes: int = 0


def test_a_partition_that_has_used_up_what_it_may_rests_until_it_is_at_half_of_that() -> None:
    throttle = Throttle(LIMITS)

    assert throttle.adjust({ONE: FakeLoad(unsettled=74)}) == ([], [])
    assert throttle.adjust({ONE: FakeLoad(unsettled=75)}) == ([ONE], [])
    assert throttle.adjust({ONE: FakeLoad(unsettled=51)}) == ([], [])
    assert throttle.adjust({ONE: FakeLoad(unsettled=50)}) == ([], [ONE])
    assert throttle.adjust({ONE: FakeLoad(unsettled=74)}) == ([], [])


def test_a_partition_is_relieved_as_soon_as_it_is_at_half() -> None:
    throttle = Throttle(LIMITS)
    throttle.adjust({ONE: FakeLoad(unsettled=75)})

    assert not throttle.relieve(ONE, {ONE: FakeLoad(unsettled=51)})
    assert throttle.relieve(ONE, {ONE: FakeLoad(unsettled=50)})
    assert not throttle.relieve(ONE, {ONE: FakeLoad(unsettled=50)}), "it rests no more"
    assert throttle.resting == frozenset()


def test_a_partition_that_is_gone_is_not_relieved() -> None:
    throttle = Throttle(LIMITS)
    throttle.adjust({ONE: FakeLoad(unsettled=100)})

    assert not throttle.relieve(ONE, {TWO: FakeLoad()})


def test_bytes_count_as_records_do() -> None:
    throttle = Throttle(LIMITS)

    assert throttle.adjust({ONE: FakeLoad(1, 7_500)}) == ([ONE], [])
    assert throttle.adjust({ONE: FakeLoad(1, 5_001)}) == ([], [])
    assert throttle.adjust({ONE: FakeLoad(1, 5_000)}) == ([], [ONE])


def test_busy_partitions_take_equal_parts_of_what_is_not_kept_for_them_and_leave_as_much() -> None:
    throttle = Throttle(LIMITS)

    assert throttle.adjust({ONE: FakeLoad(unsettled=41), TWO: FakeLoad(unsettled=41)}) == ([], [])
    assert throttle.adjust({ONE: FakeLoad(unsettled=42), TWO: FakeLoad(unsettled=42)}) == ([ONE, TWO], [])


def test_a_partition_has_its_share_of_half_of_the_memory_whatever_another_has_taken() -> None:
    throttle = Throttle(LIMITS)

    assert throttle.adjust({ONE: FakeLoad(unsettled=500), TWO: FakeLoad(unsettled=24)}) == ([ONE], [])
    assert throttle.adjust({ONE: FakeLoad(unsettled=500), TWO: FakeLoad(unsettled=25)}) == ([TWO], [])


def test_a_partition_rests_before_its_metadata_no_longer_fits() -> None:
    throttle = Throttle(LIMITS)

    assert throttle.adjust({ONE: FakeLoad(1, 1, METADATA_HIGH_BYTES)}) == ([ONE], [])
    assert throttle.adjust({ONE: FakeLoad(1, 1, METADATA_LOW_BYTES)}) == ([], [])
    assert throttle.adjust({ONE: FakeLoad(1, 1, METADATA_LOW_BYTES - 1)}) == ([], [ONE])


def test_a_partition_with_nothing_in_memory_goes_on_whatever_its_last_metadata_was() -> None:
    throttle = Throttle(LIMITS)
    throttle.adjust({ONE: FakeLoad(1, 1, METADATA_HIGH_BYTES)})

    assert throttle.adjust({ONE: FakeLoad(0, 0, METADATA_HIGH_BYTES)}) == ([], [ONE])


def test_a_partition_that_is_no_longer_owned_is_forgotten() -> None:
    throttle = Throttle(LIMITS)
    throttle.adjust({ONE: FakeLoad(unsettled=100)})

    assert throttle.paused({TWO: FakeLoad()}) == []
    assert throttle.adjust({ONE: FakeLoad(unsettled=40)}) == ([], [])


def test_the_partitions_at_rest_are_told_after_a_rebalance() -> None:
    throttle = Throttle(LIMITS)
    loads = {ONE: FakeLoad(unsettled=100), TWO: FakeLoad()}
    throttle.adjust(loads)

    assert throttle.paused(loads) == [ONE]


LOADS = st.builds(FakeLoad, st.integers(0, 120), st.integers(0, 12_000), st.integers(0, 4000))
OWNED = st.dictionaries(st.sampled_from([Partition("changes", n) for n in range(4)]), LOADS, max_size=4)


@given(st.lists(OWNED, max_size=30))
def test_a_partition_is_paused_only_when_it_goes_on_and_resumed_only_when_it_rests(
    rounds: list[dict[Partition, FakeLoad]],
) -> None:
    throttle = Throttle(LIMITS)
    resting: set[Partition] = set()
    for owned in rounds:
        resting &= owned.keys()

        pause, resume = throttle.adjust(owned)

        assert not resting.intersection(pause)
        assert resting.issuperset(resume)
        resting = resting.union(pause).difference(resume)
        assert set(throttle.paused(owned)) == resting


@given(OWNED.filter(bool))
def test_partitions_that_go_on_never_hold_more_than_the_limits_together(owned: dict[Partition, FakeLoad]) -> None:
    pause, _ = Throttle(LIMITS).adjust(owned)

    going_on = [load for partition, load in owned.items() if partition not in pause]
    assert sum(load.unsettled for load in going_on) <= LIMITS.records
    assert sum(load.unsettled_bytes for load in going_on) <= LIMITS.bytes
