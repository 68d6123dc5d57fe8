"""The demonstration from beginning to end: publish, watch until every record has its result, stop, judge.

Owns the order of it all. What runs is `stage`'s, what is expected is in `samples`, who judges is `verification`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from service.demo import samples
from service.demo.progress import Progress
from service.demo.results import ExportedRow, NotAResult, Place, Result, Sent, read_result, read_row
from service.demo.sample import JsonObject, Sample
from service.demo.samples.consortium import CONSORTIUM
from service.demo.stage import Stage, set_up
from service.demo.summary import Report, dead_letters_of
from service.demo.verification.calls import check_calls
from service.demo.verification.comparing import Check
from service.demo.verification.records import check_records
from service.demo.verification.rows import check_rows
from service.demo.verification.state import check_state
from service.demo.view import View
from service.kafka.publisher import publish_all
from service.kafka.reader import Stored, TopicReader
from service.kafka.topics import DEAD_LETTERS, EXPORT_ROWS, RESULTS
from service.sandbox.server import Sandbox
from service.settings import Settings

PATIENCE_SECONDS: Final = 60.0
"""For the results of all records. What has none by then never gets one, and the report says so."""
_WAVE: Final = 50
"""Records that are published at a time."""
_GLANCE_SECONDS: Final = 0.1

Keep = Callable[[Stage], Awaitable[None]]
"""Called with everything still running; it goes on for as long as this takes."""


@dataclass(slots=True)
class _Run:
    """What has been sent and read so far."""

    progress: Progress
    prefix: str
    sent: dict[Place, Sent] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)
    dead_letters: list[Stored] = field(default_factory=list)
    rows: list[ExportedRow] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    untold: list[Result] = field(default_factory=list)
    """Results that were read before it was known where their record went."""

    @property
    def complete(self) -> bool:
        """Whether every record has a result."""
        return len(self.sent) == self.progress.total and self.sent.keys() <= {result.place for result in self.results}

    def take(self, records: Sequence[Stored]) -> None:
        """Sorts what was read."""
        for stored in records:
            if stored.topic == DEAD_LETTERS:
                self.dead_letters.append(stored)
                continue
            try:
                if stored.topic == EXPORT_ROWS:
                    self.rows.append(read_row(stored, self.prefix))
                    continue
                result = read_result(stored, self.prefix)
            except NotAResult as error:
                self.unreadable.append(str(error))
                continue
            self.results.append(result)
            self.untold.append(result)
        self.progress.rows = len(self.rows)
        untold, self.untold = self.untold, []
        for result in untold:
            if known := self.sent.get(result.place):
                self.progress.take(result, known.sample.title)
            else:
                self.untold.append(result)


async def perform(
    settings: Settings, view: View, report: Callable[[Report], None], keep: Keep | None, *, own_broker: bool
) -> bool:
    """Whether everything was as it should be. `report` is called before `keep`, which is called before the worker ends.

    Raises what `stage.set_up` raises, and `WorkerFailed` when the worker ends in between.
    """
    told = samples.all_samples()
    began = time.monotonic()
    async with set_up(settings, view.tell, own_broker=own_broker) as stage:
        set_up_seconds = time.monotonic() - began
        before = _state_of(stage.sandbox)
        for sample in told:
            for fault in sample.faults:
                stage.sandbox.faults.add(fault)
        async with TopicReader(stage.kafka, stage.prefix, (RESULTS, DEAD_LETTERS, EXPORT_ROWS)) as reader:
            run = _Run(Progress(len(told)), stage.prefix)
            run_seconds = await _play(stage, reader, run, told, view)
            end = None if keep else await _stop(stage)
            run.take(await reader.fetch_rest())
        made = Report(
            run.progress,
            set_up_seconds,
            run_seconds,
            dead_letters_of(list(run.sent.values()), run.results),
            (*_checks(stage, run, before), *([end] if end else [])),
            stage.worker.log_tail(),
        )
        report(made)
        if keep:
            await keep(stage)
        return made.holds


async def _play(stage: Stage, reader: TopicReader, run: _Run, told: Sequence[Sample], view: View) -> float:
    """Publishes and reads side by side until all is done; how many seconds that took."""
    view.tell(f"Publishing {len(told)} records")
    began = time.monotonic()
    publishing = asyncio.create_task(_publish(stage, run, told))
    try:
        with view:
            while not run.complete and (elapsed := time.monotonic() - began) < PATIENCE_SECONDS:
                run.take(await reader.fetch(_GLANCE_SECONDS))
                stage.worker.require_running()
                if publishing.done():
                    publishing.result()
                _count_calls(run.progress, stage.sandbox, elapsed)
                view.show(run.progress)
    finally:
        publishing.cancel()
        await asyncio.gather(publishing, return_exceptions=True)
    return time.monotonic() - began


async def _publish(stage: Stage, run: _Run, told: Sequence[Sample]) -> None:
    for start in range(0, len(told), _WAVE):
        wave = told[start : start + _WAVE]
        for stored in await publish_all(stage.kafka, stage.prefix, [sample.outgoing for sample in wave]):
            place = Place(stored.topic.removeprefix(stage.prefix), stored.partition, stored.offset)
            run.sent[place] = Sent(wave[stored.index], place)
        run.progress.sent = len(run.sent)


def _count_calls(progress: Progress, sandbox: Sandbox, elapsed_seconds: float) -> None:
    progress.calls = sandbox.ledger.counts
    progress.disturbed = sum(armed.hit for armed in sandbox.faults.armed())
    progress.elapsed_seconds = elapsed_seconds


async def _stop(stage: Stage) -> Check:
    code = await stage.worker.stop()
    broken = () if code == 0 else (f"expected exit code 0, found {code}:\n{stage.worker.log_tail()}",)
    return Check("The worker finished and ended with exit code 0 when it was told to", 1, broken)


def _checks(stage: Stage, run: _Run, before: JsonObject) -> list[Check]:
    sent = list(run.sent.values())
    # In the order of publishing, which is the order of each story.
    told = [record.sample for record in sent]
    return [
        *check_records(sent, run.results, run.dead_letters, stage.prefix),
        Check("Everything on the topics of results and rows is one", len(run.results), tuple(run.unreadable)),
        check_rows(sent, run.rows, run.results),
        *check_state(told, before, _state_of(stage.sandbox), shared_tenant=CONSORTIUM),
        *check_calls(told, list(stage.sandbox.ledger), stage.sandbox.faults.armed()),
    ]


def _state_of(sandbox: Sandbox) -> JsonObject:
    return {name: system.snapshot() for name, system in sandbox.systems.items() if name != "login"}
