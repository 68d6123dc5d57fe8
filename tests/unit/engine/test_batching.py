"""The collector: what leaves together, in which order, and that nothing stays behind."""

from __future__ import annotations

from collections.abc import Hashable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from service.engine.batching import BatchLimits, Collector, Waiting


def waiting(item: int, key: Hashable = None, *, size_bytes: int = 1, alone: bool = False) -> Waiting[int]:
    return Waiting(item, item if key is None else key, size_bytes, alone)


def items_of(batch: tuple[Waiting[int], ...]) -> list[int]:
    return [entry.item for entry in batch]


def collector_of(*entries: Waiting[int], limits: BatchLimits | None = None) -> Collector[int]:
    collector: Collector[int] = Collector(limits or BatchLimits(items=3, size_bytes=10, slots=2))
    for entry in entries:
        collector.add(entry)
    return collector


def test_an_item_that_comes_to_a_free_slot_leaves_at_once() -> None:
    assert items_of(collector_of(waiting(1)).take()) == [1]


def test_what_waits_leaves_together_up_to_the_limit() -> None:
    collector = collector_of(*(waiting(number) for number in range(5)))

    assert [items_of(collector.take()) for _ in range(2)] == [[0, 1, 2], [3, 4]]


def test_without_a_free_slot_nothing_leaves() -> None:
    collector = collector_of(*(waiting(number) for number in range(9)))
    first = collector.take()
    collector.take()

    assert collector.take() == ()
    collector.finish(first)
    assert items_of(collector.take()) == [6, 7, 8]


def test_a_batch_ends_before_it_grows_too_large() -> None:
    collector = collector_of(waiting(1, size_bytes=6), waiting(2, size_bytes=6), waiting(3, size_bytes=4))

    assert items_of(collector.take()) == [1, 3]
    assert items_of(collector.take()) == [2]


def test_an_item_larger_than_the_limit_leaves_by_itself() -> None:
    collector = collector_of(waiting(1, size_bytes=99), waiting(2))

    assert items_of(collector.take()) == [1]


def test_items_of_one_key_never_share_a_batch() -> None:
    collector = collector_of(waiting(1, "a"), waiting(2, "a"), waiting(3, "b"))

    assert items_of(collector.take()) == [1, 3]


def test_an_item_waits_while_its_key_is_under_way() -> None:
    collector = collector_of(waiting(1, "a"))
    first = collector.take()
    collector.add(waiting(2, "a"))

    assert collector.take() == ()
    collector.finish(first)
    assert items_of(collector.take()) == [2]


def test_what_goes_alone_neither_joins_nor_is_joined() -> None:
    collector = collector_of(waiting(1), waiting(2, alone=True), waiting(3), limits=BatchLimits(slots=9))

    assert [items_of(collector.take()) for _ in range(2)] == [[1, 3], [2]]


def test_what_is_withdrawn_does_not_leave() -> None:
    collector = collector_of()
    ticket = collector.add(waiting(1))

    assert collector.withdraw(ticket)
    assert collector.take() == ()


def test_what_has_left_cannot_be_withdrawn() -> None:
    collector = collector_of()
    ticket = collector.add(waiting(1))
    collector.take()

    assert not collector.withdraw(ticket)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 12), st.booleans()), max_size=40))
def test_everything_leaves_in_the_order_of_its_key(entries: list[tuple[int, int, bool]]) -> None:
    limits = BatchLimits(items=4, size_bytes=10, slots=1)
    collector = collector_of(
        *(waiting(number, key, size_bytes=size, alone=alone) for number, (key, size, alone) in enumerate(entries)),
        limits=limits,
    )

    left: list[int] = []
    while batch := collector.take():
        keys = [entry.key for entry in batch]
        assert len(set(keys)) == len(keys)
        assert len(batch) == 1 or not any(entry.alone for entry in batch)
        assert len(batch) == 1 or sum(entry.size_bytes for entry in batch) <= limits.size_bytes
        assert len(batch) <= limits.items
        left += items_of(batch)
        collector.finish(batch)

    assert sorted(left) == list(range(len(entries)))
    for key in range(5):
        of_key = [number for number in left if entries[number][0] == key]
        assert of_key == sorted(of_key)


class CollectorUnderLoad(RuleBasedStateMachine):
    """Adding, withdrawing, taking and finishing in any order."""

    batches = Bundle("batches")

    @initialize()
    def start(self) -> None:
        self.limits = BatchLimits(items=3, size_bytes=8, slots=2)
        self.collector: Collector[int] = Collector(self.limits)
        self.tickets: dict[int, int] = {}
        self.keys: dict[int, int] = {}
        self.under_way: list[tuple[Waiting[int], ...]] = []
        self.number = 0

    @rule(key=st.integers(0, 3), size_bytes=st.integers(1, 9), alone=st.booleans())
    def add(self, key: int, size_bytes: int, alone: bool) -> None:
        self.number += 1
        self.keys[self.number] = key
        self.tickets[self.number] = self.collector.add(waiting(self.number, key, size_bytes=size_bytes, alone=alone))

    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        if self.tickets:
            item = data.draw(st.sampled_from(sorted(self.tickets)))
            assert self.collector.withdraw(self.tickets.pop(item))

    @rule(target=batches)
    def take(self) -> tuple[Waiting[int], ...]:
        batch = self.collector.take()
        keys_under_way = {entry.key for other in self.under_way for entry in other}
        for entry in batch:
            assert entry.key not in keys_under_way
            del self.tickets[entry.item]
        if batch:
            self.under_way.append(batch)
        elif len(self.under_way) < self.limits.slots:
            assert all(self.keys[item] in keys_under_way for item in self.tickets), "something could have left"
        return batch

    @rule(batch=consumes(batches))
    def finish(self, batch: tuple[Waiting[int], ...]) -> None:
        if batch:
            self.under_way.remove(batch)
            self.collector.finish(batch)

    @invariant()
    def no_more_than_the_slots_are_under_way(self) -> None:
        assert len(self.under_way) <= self.limits.slots
        assert len(self.collector) == len(self.tickets)


TestCollectorUnderLoad = pytest.mark.filterwarnings("default")(CollectorUnderLoad.TestCase)
