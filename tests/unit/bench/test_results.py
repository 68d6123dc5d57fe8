"""What is read of results, and what becomes of a worker that fails or ends."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bench.mixes import FOUR_CALLS, ONE_CALL, Mix
from bench.results import Results, number_of, outcome_of, own_number_of
from service.domain.operations import EventIdentity
from service.kafka.records_out import RecordsOut
from service.kafka.topics import RESULTS
from tests.builders.outcomes import REFUSED, operation, outcome


def result(number: int, *, fails: bool = False) -> bytes:
    """As the relay publishes it."""
    event = EventIdentity(str(number), "/bench", "holdings.changed")
    records = RecordsOut("/relay")(outcome(*([operation(REFUSED)] if fails else []), event=event))
    [value] = [record.value for record in records if record.topic == RESULTS]
    assert value is not None
    return value


class FakeReader:
    """Gives these values, some at a time, and nothing after that."""

    def __init__(self, *batches: Sequence[bytes]) -> None:
        self._batches = list(batches)

    async def fetch(self, timeout_seconds: float) -> Sequence[bytes]:
        return self._batches.pop(0) if self._batches else []


def alive() -> None: ...


async def test_results_are_counted_once_for_each_event() -> None:
    results = Results(FakeReader([result(7), result(7)], [result(8)], [result(9)]), alive)

    await results.until(2)

    assert list(results.seen) == [7, 8]
    assert results.seen[7] <= results.seen[8]


async def test_events_that_are_left_out_are_not_waited_for() -> None:
    results = Results(FakeReader([result(1, fails=True), result(2)]), alive)

    await results.until(1, left_out={1})

    assert set(results.seen) == {1, 2}
    results.check(left_out={1})


async def test_a_run_in_which_an_event_failed_counts_for_nothing() -> None:
    results = Results(FakeReader([result(1, fails=True), result(2)]), alive)
    await results.until(2)

    with pytest.raises(RuntimeError, match=r"not all events succeeded: .*'failed': 1"):
        results.check()


async def test_a_worker_that_ends_ends_the_wait() -> None:
    def ended() -> None:
        raise RuntimeError("the worker ended with 1")

    with pytest.raises(RuntimeError, match="ended with 1"):
        await Results(FakeReader(), ended).until(1)


def test_number_and_outcome_are_those_of_the_event() -> None:
    assert number_of(result(1234)) == 1234
    assert outcome_of(result(1234, fails=True)) == "failed"


def test_a_result_without_a_number_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"not found|invalid literal"):
        number_of(b'{"data": {}}')


@pytest.mark.parametrize("mix", [ONE_CALL, FOUR_CALLS], ids=lambda mix: mix.name)
async def test_a_reader_of_the_events_themselves_counts_them_by_their_own_numbers(mix: Mix) -> None:
    events = [event.value for event in mix.events(40, [3, 3, 5]) if event.value is not None]
    seen = Results(FakeReader(events), alive, own_number_of)

    await seen.until(3)

    assert list(seen.seen) == [40, 41, 42]
