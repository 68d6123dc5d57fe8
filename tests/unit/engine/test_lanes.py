"""Lanes against a naive list of who came when."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.engine.lanes import Lanes


@dataclass
class NaiveLanes:
    """Everybody who is in, in the order of arrival. A member runs when nobody before it conflicts with it."""

    inside: list[tuple[int, frozenset[str], frozenset[str]]] = field(default_factory=list)

    def enter(self, member: int, writes: frozenset[str], reads: frozenset[str]) -> None:
        self.inside.append((member, writes, reads - writes))

    def leave(self, member: int) -> None:
        self.inside = [entry for entry in self.inside if entry[0] != member]

    def running(self) -> set[int]:
        return {
            member
            for place, (member, writes, reads) in enumerate(self.inside)
            if not any(
                writes & (their_writes | their_reads) or reads & their_writes
                for _, their_writes, their_reads in self.inside[:place]
            )
        }

    @property
    def entities(self) -> set[str]:
        return {key for _, writes, reads in self.inside for key in writes | reads}


KEYS = st.frozensets(st.sampled_from("abcde"), max_size=3)
ENTERING = st.tuples(st.just("enter"), KEYS, KEYS)
LEAVING = st.tuples(st.sampled_from(("leave runner", "leave anybody")), st.integers(0, 30), st.none())


@given(st.lists(st.one_of(ENTERING, LEAVING), max_size=60))
def test_a_member_runs_exactly_when_no_conflicting_member_before_it_is_still_in(
    moves: list[tuple[str, frozenset[str] | int, frozenset[str] | None]],
) -> None:
    lanes: Lanes[int] = Lanes()
    naive = NaiveLanes()
    running: set[int] = set()
    arrivals = 0
    for kind, what, reads in moves:
        if isinstance(what, frozenset):
            member, arrivals = arrivals, arrivals + 1
            naive.enter(member, what, reads or frozenset())
            if lanes.enter(member, what, reads or frozenset()):
                running.add(member)
        else:
            candidates = sorted(running) if kind == "leave runner" else [entry[0] for entry in naive.inside]
            if not candidates:
                continue
            member = candidates[what % len(candidates)]
            naive.leave(member)
            running.discard(member)
            started = lanes.leave(member)
            assert not running.intersection(started), "a member is told once that it may run"
            assert started == sorted(started), "those who may run are told in the order of their arrival"
            running.update(started)
        assert running == naive.running()
        assert len(lanes) == len(naive.inside)
        assert lanes.lane_count == len(naive.entities)


@given(st.lists(st.tuples(KEYS, KEYS), min_size=1, max_size=30))
def test_members_that_share_a_key_start_in_the_order_of_arrival_unless_both_read(
    members: list[tuple[frozenset[str], frozenset[str]]],
) -> None:
    lanes: Lanes[int] = Lanes()
    started = [member for member, (writes, reads) in enumerate(members) if lanes.enter(member, writes, reads)]
    for member in started:  # grows while it is gone through
        started.extend(lanes.leave(member))

    assert sorted(started) == list(range(len(members)))
    place = {member: index for index, member in enumerate(started)}
    for late, (writes, reads) in enumerate(members):
        for early, (other_writes, other_reads) in enumerate(members[:late]):
            if writes & (other_writes | other_reads) or reads & other_writes:
                assert place[early] < place[late]
    assert (len(lanes), lanes.lane_count) == (0, 0)


def test_a_member_without_keys_may_run_at_once() -> None:
    lanes: Lanes[str] = Lanes()

    assert lanes.enter("free", ())
    assert lanes.lane_count == 0


def test_readers_that_follow_one_another_run_together_and_a_writer_waits_for_all_of_them() -> None:
    lanes: Lanes[str] = Lanes()

    assert lanes.enter("reader 1", (), ("source",))
    assert lanes.enter("reader 2", (), ("source",))
    assert not lanes.enter("writer", ("source",))
    assert not lanes.enter("reader behind", (), ("source",))

    assert lanes.leave("reader 1") == []
    assert lanes.leave("reader 2") == ["writer"]
    assert lanes.leave("writer") == ["reader behind"]


def test_a_waiting_writer_that_gives_up_lets_the_readers_behind_it_join_those_before_it() -> None:
    lanes: Lanes[str] = Lanes()
    lanes.enter("reader", (), ("source",))
    lanes.enter("writer", ("source",))
    lanes.enter("reader behind", (), ("source",))

    assert lanes.leave("writer") == ["reader behind"]


def test_a_key_both_written_and_read_counts_as_written() -> None:
    lanes: Lanes[str] = Lanes()
    lanes.enter("both", ("a",), ("a",))

    assert not lanes.enter("reader", (), ("a",))
    assert lanes.leave("both") == ["reader"]


def test_a_member_waits_until_it_has_the_word_in_every_lane() -> None:
    lanes: Lanes[str] = Lanes()
    lanes.enter("a", ("a",))
    lanes.enter("b", ("b",))
    assert not lanes.enter("ab", ("a", "b"))

    assert lanes.leave("a") == []
    assert lanes.leave("b") == ["ab"]


@pytest.mark.parametrize("times", [1, 2])
def test_leaving_without_having_entered_or_once_more_changes_nothing(times: int) -> None:
    lanes: Lanes[str] = Lanes()
    lanes.enter("known", ("a",))
    for _ in range(times):
        assert lanes.leave("unknown") == []
    assert lanes.leave("known") == []

    assert lanes.leave("known") == []
    assert (len(lanes), lanes.lane_count) == (0, 0)


def test_those_who_may_run_are_told_in_the_order_of_arrival_not_in_that_of_the_keys() -> None:
    lanes: Lanes[str] = Lanes()
    lanes.enter("first", ("a", "b"))
    lanes.enter("second", ("b",))
    lanes.enter("third", ("a",))

    assert lanes.leave("first") == ["second", "third"]


@given(st.lists(st.tuples(KEYS, KEYS), min_size=1, max_size=20), st.integers(0, 5), st.sets(st.integers(0, 19)))
def test_behind_a_member_stand_those_who_would_run_one_after_the_other_with_nobody_between(
    members: list[tuple[frozenset[str], frozenset[str]]], limit: int, unfit: set[int]
) -> None:
    lanes: Lanes[int] = Lanes()
    running = [member for member, (writes, reads) in enumerate(members) if lanes.enter(member, writes, reads)]

    for member in running:
        behind = lanes.behind(member, lambda other: other not in unfit, limit)

        writes, reads = members[member]
        alone = len(writes) == 1 and not reads - writes
        touching = [late for late in range(member + 1, len(members)) if writes & (members[late][0] | members[late][1])]
        expected: list[int] = []
        for late in touching if alone else ():
            others = members[late]
            if others[0] != writes or others[1] - writes or late in unfit or len(expected) == limit:
                break
            expected.append(late)
        assert behind == expected


def test_nobody_stands_behind_a_member_that_waits_itself() -> None:
    lanes: Lanes[str] = Lanes()
    for name in ("first", "second", "third"):
        lanes.enter(name, ("a",))

    assert lanes.behind("second", lambda other: True, 10) == []
    assert lanes.behind("first", lambda other: True, 10) == ["second", "third"]
