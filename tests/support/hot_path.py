"""What one event costs the relay, counted and not timed: calls of functions by its own code, and memory.

    python -m tests.support.hot_path

The same on every machine and under any load, so that a bound can lie close to the figure. Counted are calls made by
code of `service`, be they of Python or of C; what a library does within them is not, nor is what the worker's fakes do.
"""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final

import httpx
from rich.console import Console
from rich.table import Table

import service
from bench.stub_answers import Answers
from service.domain.answers import Settled, succeeded
from service.domain.collector import set_up_collector
from service.domain.operations import Plan, asked_of
from service.domain.outcomes import OperationOutcome, Outcome
from service.domain.record import Partition, Record
from service.engine.lanes import Lanes
from service.engine.offsets import Offsets, Position
from service.engine.ports import CallContext, freely
from service.kafka.records_out import RecordsOut
from service.routes import interpret
from service.systems.registry import ConfiguredSystems, SystemsConfig
from service.systems.tokens import StaticToken
from service.systems.wire import WireAnswer, WireRequest
from service.telemetry.metrics import Metrics
from service.telemetry.observing import Telemetry
from tests.fakes.broker import FakeBroker
from tests.fakes.events import FakeEvent
from tests.fakes.member import Member, publish, settled
from tests.fakes.systems import FakeSystems
from tests.fakes.virtual_time import run_virtually

SERVICE: Final = str(Path(service.__file__).parent)
EXAMPLES: Final = Path(__file__).parents[1] / "examples"
EVENTS: Final = {
    "eholdings, remove": "holdings.changed/eholdings-remove.json",
    "eholdings, update": "holdings.changed/eholdings-update-every-attribute.json",
    "inventory, upsert": "holdings.changed/inventory-upsert.json",
    "transfer of one item": "holdings.transfer.requested/one-item.json",
}
ATTEMPTS: Final = {"eholdings, remove": "1 call", "eholdings, update": "3 calls"}
"""Of the events, those whose steps are attempted, and in how many calls."""
TOKEN: Final = StaticToken("a-token")
REPEATS: Final = 50
ENTITIES: Final = 10


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one event."""

    calls: float
    peak_bytes: float
    """That lay in memory at a time while it was on its way."""
    kept_bytes: float
    """That still lay there afterwards."""


class Collections:
    """Of the garbage collector, while it is listened to."""

    def __init__(self) -> None:
        self.by_generation = [0, 0, 0]

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        self.by_generation[info["generation"]] += phase == "start"


class PurePath:
    """An event from its bytes to the records out, with everything between that awaits nothing."""

    def __init__(self, example: str) -> None:
        self._value = (EXAMPLES / example).read_bytes()
        self._lanes: Lanes[int] = Lanes()
        self._offsets = Offsets(Position(0))
        self._render = RecordsOut("/relay")
        self._offset = 0

    def receive(self) -> tuple[Record, Plan]:
        """The first part alone. What it gives stays in memory while its event waits."""
        record = Record(Partition("holdings.changes", 0), self._offset, b"key", self._value, (), 1, 0.0)
        self._offset += 1
        plan = interpret(record, default_tenant="diku", max_bytes=1_000_000)
        if not isinstance(plan, Plan):
            raise TypeError(f"the example is refused: {plan}")
        return record, plan

    def go(self) -> None:
        record, plan = self.receive()
        self._offsets.receive(record.offset)
        self._lanes.enter(record.offset, plan.writes, plan.reads)
        done = [OperationOutcome(asked, succeeded(200), 1, 5) for step in plan.steps for asked in asked_of(step)]
        self._render(Outcome(record, plan.event, plan.tenant, plan.traceparent, tuple(done), 1.0))
        self._offsets.finish(record.offset)
        self._offsets.position()
        self._lanes.leave(record.offset)


def cost_of(example: str) -> Cost:
    """On the pure path, when everything that is made once has been made."""
    path = PurePath(example)
    for _ in range(REPEATS):
        path.go()
    with counting() as count:
        for _ in range(REPEATS):
            path.go()
    peak_bytes, kept_bytes = _memory(path.go)
    return Cost(count() / REPEATS, peak_bytes, kept_bytes)


def collections_of(waiting: int, events: int) -> list[int]:
    """By generation, over so many events, so many of which are in memory at a time. By the settings of the process."""
    path, held, collections = PurePath(EVENTS["eholdings, update"]), deque[object](maxlen=waiting), Collections()
    gc.collect()
    gc.callbacks.append(collections)
    try:
        held.extend(path.receive() for _ in range(events))
    finally:
        gc.callbacks.remove(collections)
    return collections.by_generation


@contextmanager
def collector_set_up() -> Iterator[None]:
    """As a worker has it."""
    before = gc.get_threshold()
    set_up_collector()
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


class AtOnce(httpx.AsyncBaseTransport):
    """A transport that answers as the stub of the benchmarks does, without a wait."""

    def __init__(self) -> None:
        self.answers = Answers()
        self.exchanges = 0

    async def exchange(self, request: WireRequest) -> WireAnswer:
        if request.may_leave is not None:
            await request.may_leave()
        self.exchanges += 1
        answer = self.answers.answer(request.method.encode(), request.target.encode(), request.body)
        head, _, body = answer.partition(b"\r\n\r\n")
        return WireAnswer(int(head.split()[1]), [(b"Content-Type", b"application/json")], body)


def calls_of_attempt(name: str) -> float:
    """For one attempt at the step of an event, from the engine's question to its answer, what carries it left out."""
    return run_virtually(_attempts(name))


async def _attempts(name: str) -> float:
    _, plan = PurePath(EVENTS[name]).receive()
    wire = AtOnce()
    config = SystemsConfig(folio_url="http://folio.example", tenants=dict.fromkeys(("diku", "harbour"), TOKEN))
    systems = ConfiguredSystems(config, wire, Telemetry(Metrics()))
    context = CallContext(None, False, freely)
    await systems.attempt(plan.steps[0], context)  # makes what is made once
    wire.answers = Answers()
    with counting() as count:
        answer = await systems.attempt(plan.steps[0], context)
    if answer != Settled((succeeded(200 if wire.exchanges > 2 else 204),)):
        raise RuntimeError(f"the stub does not do: {answer}")
    return count()


def calls_of_worker(entities: int | None, updates_together: int = 1) -> float:
    """For each event of a whole worker on fakes: of so many entities, or each of its own."""
    few, many = (_calls_of_run(count, entities or count, updates_together) for count in (REPEATS, 3 * REPEATS))
    return (many - few) / (2 * REPEATS)


def _calls_of_run(events: int, entities: int, updates_together: int) -> int:
    with counting() as count:
        run_virtually(_work(events, entities, updates_together))
    return count()


async def _work(events: int, entities: int, updates_together: int) -> None:
    partition = Partition("changes", 0)
    broker, systems = FakeBroker(partition), FakeSystems()
    publish(broker, partition, *(FakeEvent(str(number), (str(number % entities),)) for number in range(events)))
    member = Member(broker, systems, updates_together=updates_together).start()
    await settled(broker, *(str(number) for number in range(events)))
    await member.stop()


@contextmanager
def counting() -> Iterator[Callable[[], int]]:
    """Gives the number of calls so far."""
    calls = 0

    def profile(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        if event == "c_call":
            calls += frame.f_code.co_filename.startswith(SERVICE)
        elif event == "call":
            calls += frame.f_back is not None and frame.f_back.f_code.co_filename.startswith(SERVICE)

    sys.setprofile(profile)
    try:
        yield lambda: calls
    finally:
        sys.setprofile(None)


def _memory(go: Callable[[], None]) -> tuple[float, float]:
    """Peak and rest of one event, of many."""
    tracemalloc.start()
    try:
        for _ in range(REPEATS):
            go()
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        go()
        _, peak = tracemalloc.get_traced_memory()
        for _ in range(REPEATS):
            go()
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return float(peak - before), (after - before) / REPEATS


def main() -> None:
    table = Table("one event", "calls", "peak bytes", "kept bytes", box=None)
    for name, example in EVENTS.items():
        cost = cost_of(example)
        table.add_row(name, f"{cost.calls:.0f}", f"{cost.peak_bytes:.0f}", f"{cost.kept_bytes:.0f}")
    for name, told in ATTEMPTS.items():
        table.add_row(f"attempt at {name}, {told}", f"{calls_of_attempt(name):.0f}")
    for name, calls in {
        "worker, each of its own entity": calls_of_worker(None),
        "worker, of ten entities": calls_of_worker(ENTITIES),
        "worker, of ten, updates together": calls_of_worker(ENTITIES, REPEATS),
    }.items():
        table.add_row(name, f"{calls:.0f}")
    console = Console()
    console.print(table)
    console.print("Collections by generation, over 20,000 events of which 5,000 are in memory at a time:")
    console.print(f"  {collections_of(5_000, 20_000)} with the settings of Python")
    with collector_set_up():
        console.print(f"  {collections_of(5_000, 20_000)} with those of a worker")


if __name__ == "__main__":
    main()
