"""Offsets against plain sets, with holes in the log and restarts through the committed metadata."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from service.engine.commit_metadata import decode, encode
from service.engine.offsets import Offsets, Position, Receipt, Remembered


@dataclass
class NaiveOffsets:
    """A log, and what of it was ever received, finished, attempted. Survives restarts; `received` does not."""

    log: list[int]
    finished: set[int] = field(default_factory=set)
    attempted: set[int] = field(default_factory=set)
    received: set[int] = field(default_factory=set)
    remembered: dict[int, Remembered] = field(default_factory=dict)
    """What `finish` has handed out since the last restart."""

    @property
    def pending(self) -> list[int]:
        return sorted(self.received - self.finished)

    def check(self, position: Position) -> None:
        """Nothing unfinished passes for finished, and nothing finished for unfinished."""
        for offset in self.log:
            counts_as_finished = offset < position.frontier or _is_within(offset, position.completed)
            assert counts_as_finished == (offset in self.finished), offset
        assert position.attempted == self.attempted - self.finished
        _check_form(position)


def _is_within(offset: int, runs: Iterable[tuple[int, int]]) -> bool:
    return any(start <= offset < end for start, end in runs)


def _check_form(position: Position) -> None:
    end = position.frontier
    for index, run in enumerate(position.completed):
        assert run[0] < run[1], "no run is empty"
        assert run[0] > end or (index == 0 and run[0] > position.frontier), "runs ascend and do not touch"
        end = run[1]


GAPS = st.lists(st.integers(1, 4), min_size=1, max_size=40)
MOVES = st.lists(
    st.tuples(
        st.sampled_from(("receive", "receive", "finish", "finish", "reopen", "attempt", "restart")), st.integers(0, 50)
    ),
    max_size=120,
)


def _log(start: int, gaps: Iterable[int]) -> list[int]:
    """Ascending offsets from `start`, some of them missing."""
    offsets = [start]
    for gap in gaps:
        offsets.append(offsets[-1] + gap)
    return offsets


@given(st.integers(0, 10_000), GAPS, MOVES)
def test_a_position_tells_finished_from_unfinished_through_any_course_of_events(
    start: int, gaps: list[int], moves: list[tuple[str, int]]
) -> None:
    naive = NaiveOffsets(_log(start, gaps))
    offsets = Offsets(Position(start))
    for move, choice in moves:
        match move:
            case "receive":
                to_come = [offset for offset in naive.log if offset >= offsets.next_offset]
                if to_come:
                    _receive(offsets, naive, to_come[0])
            case "finish" if naive.pending:
                chosen = naive.pending[choice % len(naive.pending)]
                naive.remembered[chosen] = offsets.finish(chosen)
                naive.finished.add(chosen)
            case "reopen" if naive.remembered:
                chosen = sorted(naive.remembered)[choice % len(naive.remembered)]
                offsets.reopen({chosen: naive.remembered.pop(chosen)})
                naive.finished.remove(chosen)
            case "attempt" if naive.pending:
                chosen = naive.pending[choice % len(naive.pending)]
                offsets.attempt(chosen)
                naive.attempted.add(chosen)
            case "restart":
                position = offsets.position()
                offsets = Offsets(decode(position.frontier, encode(position)))
                naive.received, naive.remembered = set(), {}
            case _:
                continue  # nothing to finish or to attempt
        naive.check(offsets.position())
        assert offsets.unfinished == len(naive.pending)


def _receive(offsets: Offsets, naive: NaiveOffsets, offset: int) -> None:
    expected = Receipt.FINISHED if offset in naive.finished else Receipt.NEW
    assert offsets.receive(offset) is expected
    assert offsets.receive(offset) is Receipt.REPEATED
    assert offsets.next_offset == offset + 1
    if expected is Receipt.NEW:
        naive.received.add(offset)
        assert offsets.was_attempted(offset) == (offset in naive.attempted)


@given(st.integers(0, 10_000), GAPS, st.data())
def test_after_a_restart_every_unfinished_offset_is_new_and_every_finished_one_finished(
    start: int, gaps: list[int], data: st.DataObject
) -> None:
    log = _log(start, gaps)
    received = log[: data.draw(st.integers(0, len(log)))]
    finished = data.draw(st.sets(st.sampled_from(received))) if received else set()
    before = Offsets(Position(start))
    for offset in received:
        before.receive(offset)
    for offset in finished:
        before.finish(offset)
    position = before.position()

    after = Offsets(decode(position.frontier, encode(position)))

    for offset in log:
        if offset >= position.frontier:
            assert after.receive(offset) is (Receipt.FINISHED if offset in finished else Receipt.NEW)
        else:
            assert offset in finished


@given(st.integers(0, 10_000), GAPS, st.data())
def test_the_order_in_which_records_are_finished_does_not_change_the_position(
    start: int, gaps: list[int], data: st.DataObject
) -> None:
    log = _log(start, gaps)
    finished = data.draw(st.lists(st.sampled_from(log), unique=True))
    one, other = Offsets(Position(start)), Offsets(Position(start))
    for offset in log:
        one.receive(offset)
        other.receive(offset)

    for offset in finished:
        one.finish(offset)
    for offset in sorted(finished):
        other.finish(offset)

    assert one.position() == other.position()


def test_a_partition_of_which_nothing_was_read_begins_where_it_was_left() -> None:
    left = Position(7, ((9, 12), (20, 21)), frozenset({7, 15}), {13: 400})

    assert Offsets(left).position() == left


def test_the_frontier_jumps_over_what_an_earlier_owner_finished() -> None:
    offsets = Offsets(Position(5, ((6, 9),)))
    offsets.receive(5)

    offsets.finish(5)

    assert offsets.position() == Position(9)


def test_a_hole_between_received_offsets_counts_as_finished() -> None:
    offsets = Offsets(Position(0))
    for offset in (0, 7, 9):
        offsets.receive(offset)
    offsets.finish(0)

    assert offsets.position() == Position(7, ((8, 9),))


def test_an_attempt_at_an_offset_that_is_not_pending_leaves_no_trace() -> None:
    offsets = Offsets(Position(0))
    offsets.receive(0)
    offsets.finish(0)

    offsets.attempt(0)

    assert not offsets.was_attempted(0)
    assert offsets.position() == Position(1)


def test_an_inherited_mark_outlives_commits_until_its_record_is_finished() -> None:
    offsets = Offsets(Position(0, (), frozenset({3})))
    for offset in range(4):
        offsets.receive(offset)
    offsets.finish(0)
    assert offsets.position().attempted == {3}

    offsets.finish(3)

    assert offsets.position().attempted == frozenset()


def test_progress_of_an_export_is_kept_until_the_export_is_finished() -> None:
    offsets = Offsets(Position(0, (), frozenset(), {1: 500}))
    offsets.receive(0)
    offsets.receive(1)
    offsets.finish(0)
    assert offsets.position().progress == {1: 500}

    offsets.finish(1)

    assert offsets.position().progress == {}


def test_a_position_costs_no_more_for_all_that_waits_behind_the_last_finished_record() -> None:
    few, many = _partly_finished(100), _partly_finished(10_000)

    assert _lines_run(many.position) == _lines_run(few.position)


def _partly_finished(received: int) -> Offsets:
    offsets = Offsets(Position(0))
    for offset in range(received):
        offsets.receive(offset)
    offsets.finish(5)
    return offsets


def _lines_run(call: Callable[[], object]) -> int:
    lines = 0

    def trace(frame: FrameType, event: str, argument: object) -> Callable[..., Any]:
        nonlocal lines
        lines += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return lines
