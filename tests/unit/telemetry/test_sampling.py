"""Regular looks at how the worker stands."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence

from service.domain.record import Partition
from service.engine.ports import SourceUnavailable
from service.engine.state import PartitionState, WorkerState
from service.telemetry.metrics import Metrics
from service.telemetry.sampling import Sampler
from service.telemetry.throughput import Rates

ONE, TWO = Partition("changes", 0), Partition("changes", 1)


class Subject:
    """A sampler of a worker that owns `owned`, on a Kafka that is there or `away`."""

    def __init__(self, *owned: Partition) -> None:
        self.owned = owned
        self.away = False
        self.metrics = Metrics()
        self.settled = 0
        self.sampler = Sampler(
            self.metrics.standing,
            self.metrics.process.loop_delay_seconds,
            self._state,
            self._ends,
            lambda: self.settled,
        )

    @property
    def ends(self) -> Mapping[Partition, int]:
        self.sampler.look()
        return self.metrics.standing.state.ends

    def _state(self) -> WorkerState:
        return WorkerState(tuple(PartitionState(where, 0, None, 0, 0, 0, 0, False) for where in self.owned))

    async def _ends(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        if self.away:
            raise SourceUnavailable("no brokers")
        return {partition: 100 + partition.number for partition in partitions}


async def test_a_look_has_the_state_the_ends_and_the_time() -> None:
    subject = Subject(ONE, TWO)
    before = time.time()

    await subject.sampler.refresh_ends()
    subject.sampler.look()

    standing = subject.metrics.standing.state
    assert [state.partition for state in standing.worker.partitions] == [ONE, TWO]
    assert standing.ends == {ONE: 100, TWO: 101}
    assert before <= standing.at <= time.time()


async def test_looks_tell_how_many_events_a_second_are_settled() -> None:
    subject = Subject(ONE)
    subject.sampler.look()
    before = subject.metrics.standing.state.rates

    subject.settled = 1_000_000
    await asyncio.sleep(0.01)
    subject.sampler.look()
    after = subject.metrics.standing.state.rates

    assert before == Rates(None, None)
    assert after.short == after.long
    assert (after.short or 0) > 1_000


async def test_while_kafka_is_away_the_last_ends_stay_for_what_is_still_owned() -> None:
    subject = Subject(ONE, TWO)
    await subject.sampler.refresh_ends()

    subject.away, subject.owned = True, (TWO,)
    await subject.sampler.refresh_ends()

    assert subject.ends == {TWO: 101}


async def test_a_loop_that_is_held_up_shows_in_the_delay() -> None:
    subject = Subject()
    running = asyncio.create_task(subject.sampler.run())
    await asyncio.sleep(0.01)

    time.sleep(0.6)  # noqa: ASYNC251 - holds the loop up on purpose
    await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait((running,))

    assert (subject.metrics.registry.get_sample_value("relay_loop_delay_seconds_sum") or 0) > 0.2
