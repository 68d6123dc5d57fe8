"""How many calls a system is given at a time: the controller alone, and at the gate of a system that queues."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.answers import Answer, Joint
from service.domain.operations import Step
from service.engine.adaptive import AdaptiveLimit, AdaptivePolicy
from service.engine.circuit import CircuitPolicy
from service.engine.gates import Gates
from service.engine.ports import CallContext
from service.engine.processing import Processing
from service.engine.slots import Slots
from tests.fakes.observing import SilentObserver
from tests.fakes.processing import POLICY, ProcessingSubject, shortest, update
from tests.fakes.systems import refuse, stumble, succeed

MOST = 240
POLICY_OF_LIMIT = AdaptivePolicy()
SAMPLES = st.tuples(st.floats(0.0001, 100), st.booleans(), st.integers(1, MOST), st.floats(0, 5))


@given(st.integers(1, MOST), st.lists(SAMPLES, max_size=300))
def test_whatever_happens_the_limit_stays_between_its_bounds(
    most: int, samples: list[tuple[float, bool, int, float]]
) -> None:
    limit, now = AdaptiveLimit(POLICY_OF_LIMIT, most, 0.0), 0.0
    for seconds, stumbles, in_flight, pause in samples:
        now += pause
        if stumbles:
            limit.stumbled(in_flight, now)
        else:
            limit.answered("read", seconds, in_flight, now)
        assert min(POLICY_OF_LIMIT.least, most) <= limit.limit <= most


@given(st.floats(0.001, 10), st.floats(1, 1.9))
def test_a_steady_system_keeps_all_slots(seconds: float, jitter: float) -> None:
    limit = AdaptiveLimit(POLICY_OF_LIMIT, MOST, 0.0)
    for number in range(1000):
        limit.answered("read", seconds * (jitter if number % 2 else 1), MOST, number * 0.1)

    assert limit.limit == MOST


def test_kinds_of_calls_are_compared_with_their_own_kind() -> None:
    limit = AdaptiveLimit(POLICY_OF_LIMIT, MOST, 0.0)
    for number in range(1000):
        dear = number >= 500  # first nothing but reads, then nothing but what takes ten times as long
        limit.answered("write" if dear else "read", 1.0 if dear else 0.1, MOST, number * 0.1)

    assert limit.limit == MOST


def test_it_begins_with_few_and_doubles_until_calls_take_longer() -> None:
    limit = AdaptiveLimit(POLICY_OF_LIMIT, MOST, 0.0)
    seen = [limit.limit]
    for number in range(80):
        limit.answered("read", 0.1 if limit.limit < 60 else 0.5, limit.limit, number * 0.1)
        if limit.limit != seen[-1]:
            seen.append(limit.limit)

    assert seen[:5] == [4, 8, 16, 32, 64]
    assert seen[5] < 64


def test_who_does_not_use_its_slots_gets_no_more() -> None:
    limit = AdaptiveLimit(POLICY_OF_LIMIT, MOST, 0.0)
    feed(limit, [0.1] * 100 + [10.0] * 200)
    shrunk = limit.limit
    feed(limit, [0.1] * 1000, in_flight=1, start=100.0)

    assert limit.limit == shrunk < MOST / 10


def test_stumbles_shrink_it_whatever_the_time_they_take() -> None:
    limit = AdaptiveLimit(POLICY_OF_LIMIT, MOST, 0.0)
    feed(limit, [0.1] * 100)
    for number in range(200):
        limit.stumbled(MOST, 10 + number * 0.1)

    assert limit.limit == POLICY_OF_LIMIT.least


def test_a_system_that_has_become_slower_for_good_is_measured_by_its_new_best_after_a_probe() -> None:
    limit = AdaptiveLimit(POLICY_OF_LIMIT, MOST, 0.0)
    feed(limit, [0.1] * 100)
    feed(limit, [1.0] * 100, start=10.0)
    shrunk = limit.limit
    feed(limit, [1.0] * 4000, start=20.0)

    assert (shrunk < MOST / 4, limit.limit) == (True, MOST)


def test_a_probe_asks_for_little_for_two_windows_and_then_goes_back() -> None:
    limit = AdaptiveLimit(POLICY_OF_LIMIT, MOST, 0.0)
    calls = int(POLICY_OF_LIMIT.probe_seconds / 0.1)
    feed(limit, [0.1] * calls)
    before, during = limit.limit, []
    for number in range(40):
        limit.answered("read", 0.1, limit.limit, POLICY_OF_LIMIT.probe_seconds + number * 0.1)
        during.append(limit.limit)

    assert (before, limit.limit) == (MOST, MOST)
    assert during.count(POLICY_OF_LIMIT.least) == 2 * POLICY_OF_LIMIT.window_calls


def feed(limit: AdaptiveLimit, seconds: list[float], in_flight: int = MOST, start: float = 0.0) -> None:
    for number, taken in enumerate(seconds):
        limit.answered("read", taken, in_flight, start + number * 0.1)


class Queueing:
    """A system that does `at_once` calls at a time, `seconds` each, and lets the others wait."""

    def __init__(self, at_once: int, seconds: float) -> None:
        self.seconds = seconds
        self.in_flight = 0
        self.taken: list[float] = []
        """How long each call took, the wait included."""
        self._slots = Slots(at_once)

    def does_at_once(self, number: int) -> None:
        self._slots.resize(number)

    def unconfigured(self, step: Step) -> None:
        return None

    async def attempt(self, step: Step, context: CallContext) -> Answer:
        now = asyncio.get_running_loop().time
        began = now()
        self.in_flight += 1
        async with self._slots:
            await asyncio.sleep(self.seconds)
        self.in_flight -= 1
        self.taken.append(now() - began)
        return succeed(step)

    async def attempt_together(self, steps: object, context: CallContext) -> Joint:
        raise AssertionError("nobody waits for anybody here")


SLOTS, CLIENTS = 60, 80
SERVICE_SECONDS = 0.5


class Load:
    """Updates of many resources through one processing: more clients than it has slots."""

    def __init__(self, system: Queueing, adaptive: AdaptivePolicy | None) -> None:
        self.system = system
        gates = Gates(CircuitPolicy(), shortest, SilentObserver(), SLOTS, adaptive=adaptive)
        self._gate = gates.gate("eholdings", "diku")
        self._processing = Processing(system, gates, POLICY, SLOTS, shortest, SilentObserver())
        self._job = ProcessingSubject().job
        self._clients = [asyncio.create_task(self._work()) for _ in range(CLIENTS)]

    @property
    def limit(self) -> int:
        return self._gate.slots.limit

    async def latency_after(self, seconds: float) -> float:
        """Of a typical call by then."""
        await asyncio.sleep(seconds)
        return median(self.system.taken[-20:])

    def stop(self) -> None:
        for client in self._clients:
            client.cancel()

    async def _work(self) -> None:
        while True:
            await self._processing.process(self._job(update()))


async def test_a_system_that_slows_down_gets_fewer_calls_and_answers_in_time_and_gets_all_when_it_is_fast_again() -> (
    None
):
    system = Queueing(at_once=SLOTS, seconds=SERVICE_SECONDS)
    load = Load(system, AdaptivePolicy())
    assert await load.latency_after(10) == pytest.approx(SERVICE_SECONDS)
    assert load.limit == SLOTS

    system.does_at_once(4)
    slow = await load.latency_after(60)
    shrunk = load.limit
    system.does_at_once(SLOTS)
    fast = await load.latency_after(30)
    load.stop()

    assert slow <= 4 * SERVICE_SECONDS
    assert 4 <= shrunk <= 16
    assert fast == pytest.approx(SERVICE_SECONDS)
    assert load.limit == SLOTS


async def test_a_fixed_bulkhead_lets_the_latency_of_the_same_system_grow_with_its_slots() -> None:
    system = Queueing(at_once=SLOTS, seconds=SERVICE_SECONDS)
    load = Load(system, None)
    await load.latency_after(10)
    system.does_at_once(4)

    slow = await load.latency_after(60)
    load.stop()

    assert slow == pytest.approx(SLOTS / 4 * SERVICE_SECONDS, rel=0.1)


async def test_a_system_that_was_never_idle_is_not_measured_by_its_own_queue() -> None:
    system = Queueing(at_once=4, seconds=SERVICE_SECONDS)
    load = Load(system, AdaptivePolicy(probe_seconds=60))

    latencies = [await load.latency_after(40) for _ in range(10)]
    load.stop()

    assert max(latencies) <= 4 * SERVICE_SECONDS


async def test_it_does_as_much_as_the_fixed_bulkhead() -> None:
    done: list[int] = []
    for adaptive in (None, AdaptivePolicy()):
        load = Load(Queueing(at_once=4, seconds=SERVICE_SECONDS), adaptive)
        await load.latency_after(120)
        load.stop()
        await asyncio.sleep(1)
        done.append(len(load.system.taken))

    fixed, adapted = done
    assert adapted == pytest.approx(fixed, rel=0.02)


@pytest.mark.parametrize("reply", [refuse, stumble()])
async def test_refusals_are_answers_and_stumbles_are_not(reply: Callable[[Step], Answer]) -> None:
    class Replying(Queueing):
        async def attempt(self, step: Step, context: CallContext) -> Answer:
            await super().attempt(step, context)
            return reply(step) if len(self.taken) % 4 == 0 else succeed(step)

    load = Load(Replying(at_once=SLOTS, seconds=SERVICE_SECONDS), AdaptivePolicy())
    await load.latency_after(10)
    load.stop()

    assert (load.limit == SLOTS) is (reply is refuse)


async def test_systems_that_pace_themselves_keep_their_slots() -> None:
    gates = Gates(CircuitPolicy(), shortest, SilentObserver(), MOST, adaptive=AdaptivePolicy())
    for name in ("inventory", "holdingsiq"):
        gate = gates.gate(name, "diku")
        for number in range(200):
            gate.timed("upsert", float(number), stumbled=False)
            await asyncio.sleep(0.1)

        assert gate.slots.limit == MOST
