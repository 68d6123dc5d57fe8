"""The loop that drives it all: records in, lanes, tasks, outcomes out. Decides by the pure parts; talks through
ports."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from service.domain.operations import ExportHoldings, Plan
from service.domain.outcomes import Outcome, Rejection
from service.domain.record import Partition, Record
from service.domain.replays import replay_of
from service.engine.commits import Render
from service.engine.company import DEFAULT_MOST, Company, sociable
from service.engine.intake import IntakeLimits, Throttle
from service.engine.job import Job
from service.engine.journal import RenderRows
from service.engine.lanes import Lanes
from service.engine.offsets import Receipt
from service.engine.partition import OwnedPartition
from service.engine.ports import Observer, OwnershipLost, Source, SourceUnavailable
from service.engine.processing import Processing
from service.engine.progress import Progress
from service.engine.pulse import suspend_aware_clock
from service.engine.rejecting import reject
from service.engine.rest import drain, settle_down
from service.engine.state import Membership, WorkerState, gate_state, partition_state, repeat_states, repeating
from service.engine.vigil import Vigil, VigilLimits

Trace: TypeAlias = Callable[[Record, Plan], str | None]
"""Begins a span for the record; the W3C trace context of it."""
Interpret: TypeAlias = Callable[[Record], Plan | Rejection]

FETCH_SECONDS = 0.5
REJOIN_PAUSE_SECONDS = 1.0
LONGEST_JOIN_SECONDS = 180.0
"""Within which the group has been left and joined again, or Kafka could not be had."""
LONGEST_CLAIM_SECONDS = 90.0
"""Within which a partition has been claimed, or could not be."""
LONGEST_REBALANCE_SECONDS = 180.0
"""Within which a rebalance is over, whatever the other members do."""
REBALANCE, END = "rebalance", "end"


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """What one worker may take upon itself."""

    intake: IntakeLimits
    drain_seconds: float
    """How long a rebalance may be held up for calls that are under way."""
    vigil: VigilLimits
    """When it may have been replaced without knowing."""
    updates_together: int = DEFAULT_MOST
    """Updates of one resource that may leave as one; 1 lets each leave by itself."""


class Worker:
    """One member of the consumer group.

    A record goes: fetched ─▶ received (offset tracked) ─▶ interpreted ─┬─ rejected ──────────────────────▶ settled
                                                                     └─ queued in its lanes ─▶ processed ─▶ settled
    """

    def __init__(
        self,
        source: Source,
        interpret: Interpret,
        processing: Processing,
        render: Render,
        render_rows: RenderRows,
        limits: WorkerLimits,
        observer: Observer,
        clock: Callable[[], float] = suspend_aware_clock,
        progress: Progress | None = None,
        trace: Trace | None = None,
    ) -> None:
        """`trace` is told of every record that enters the lanes; its calls then carry on what it returns."""
        self._source = source
        self._trace = trace
        self._progress = progress or Progress()
        self._interpret = interpret
        self._processing = processing
        self._render = render
        self._render_rows = render_rows
        self._limits = limits
        self._observer = observer
        self._lanes: Lanes[Job] = Lanes()
        self._owned: dict[Partition, OwnedPartition] = {}
        self._claims: dict[Partition, asyncio.Task[None]] = {}
        self._running: dict[Job, asyncio.Task[None]] = {}
        self._throttle = Throttle(limits.intake)
        self._stopping = asyncio.Event()
        self._rejoin = asyncio.Event()
        self._joined = False
        self._vigil = Vigil(limits.vigil, self._owned, clock, source.silent_seconds, observer, self._progress)
        self._rounds = Progress(self._progress.clock)

    @property
    def ready(self) -> bool:
        """Whether the worker is a member of its group with every partition claimed, and takes records."""
        return self.membership.ready

    @property
    def membership(self) -> Membership:
        """Where it stands in its group. May be asked from another thread."""
        return Membership(
            self._joined,
            self._rejoin.is_set(),
            self._stopping.is_set(),
            tuple(sorted(self._owned.copy())),
            tuple(sorted(self._claims.copy())),
        )

    @property
    def partitions(self) -> Iterable[OwnedPartition]:
        return self._owned.values()

    @property
    def jobs(self) -> int:
        """Records that wait in lanes or are being worked on."""
        return len(self._lanes)

    @property
    def state(self) -> WorkerState:
        """How it stands now."""
        resting = self._throttle.resting
        waiting = repeating(self._running)
        return WorkerState(
            partitions=tuple(
                partition_state(owned, rests=owned.partition in resting) for owned in self._owned.values()
            ),
            claims=tuple(self._claims),
            gates=tuple(gate_state(gate) for gate in self._processing.gates),
            jobs=len(self._lanes),
            running=len(self._running),
            lanes=self._lanes.lane_count,
            exports_since=tuple(job.record.known_since for job in self._running if job.journal is not None),
            repeating=len(waiting),
            repeats=repeat_states(waiting),
        )

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    @property
    def stalled_seconds(self) -> float:
        """How long nothing has moved that should have: work that neither goes on nor waits for anything that may still
        come, or an intake that does not go round. 0 while all is well, whatever the systems and Kafka do."""
        has_work = any(owned.unsettled for owned in self._owned.values()) or len(self._lanes) > 0
        return max(self._rounds.overdue_seconds, self._progress.overdue_seconds if has_work else 0.0)

    async def stopped_within(self, seconds: float) -> bool:
        """Whether `stop` was called before `seconds` had passed."""
        try:
            async with asyncio.timeout(seconds):
                return await self._stopping.wait()
        except TimeoutError:
            return False

    def stop(self) -> None:
        """Begin to stop: no record is fetched or started any more."""
        self._stopping.set()

    async def run(self, grace_seconds: Callable[[], float]) -> None:
        """Work until `stop` is called, then finish what is under way within `grace_seconds()`, commit, leave the group.

        Raises `SourceUnavailable` when Kafka cannot be had at the start.
        """
        vigil = asyncio.create_task(self._vigil.keep(), name="vigil")
        try:
            with self._rounds.expecting(LONGEST_JOIN_SECONDS):
                await self._source.start(self)
            while not self._stopping.is_set():
                await self._take_in()
        finally:
            self._stopping.set()
            self._rounds.expect(END, math.inf)
            for claim in self._claims.values():
                claim.cancel()
            await drain(self._owned.values(), self._running, self._observer, grace_seconds())
            await self._give_up(list(self._owned), "the worker stops")
            await self._source.stop()
            vigil.cancel()

    async def revoking(self) -> None:
        """A rebalance begins: no call starts; those under way come to their end, and what is finished is stored, so
        that whoever is next does nothing again."""
        self._progress.expect(REBALANCE, LONGEST_REBALANCE_SECONDS)
        await self._pause()

    def expelled(self) -> None:
        """No call starts or goes on. What has come to an outcome is stored, as long as nobody has claimed its
        partition."""
        for claim in self._claims.values():
            claim.cancel()
        for owned in self._owned.values():
            owned.lease.bar("the group has gone on without us")

    async def assigned(self, epochs: Mapping[Partition, int]) -> None:
        """Partitions that keep their epoch keep their work; new ones are claimed in the background."""
        self._joined = True
        self._progress.came(REBALANCE)
        self._vigil.look()
        for claim in self._claims.values():
            claim.cancel()
        gone = [partition for partition, owned in self._owned.items() if epochs.get(partition) != owned.epoch]
        await self._give_up(gone, "another member of the group has it")
        for owned in self._owned.values():
            self._source.seek(owned.partition, owned.next_offset)
            owned.lease.resume()
        resting = self._throttle.paused(self._owned)
        self._source.pause(resting)
        self._source.resume([partition for partition in epochs if partition not in resting])
        for partition, epoch in epochs.items():
            if partition not in self._owned and not self._stopping.is_set():
                task = asyncio.create_task(self._claim(partition, epoch), name=f"claim {partition}")
                self._claims[partition] = task
                task.add_done_callback(partial(self._claim_ended, partition))

    # ── intake ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _take_in(self) -> None:
        """One round: join again where that is needed, fetch, start what may run, pause and resume partitions."""
        self._rounds.moved()
        try:
            if self._rejoin.is_set():
                with self._rounds.expecting(LONGEST_JOIN_SECONDS), self._progress.expecting(LONGEST_JOIN_SECONDS):
                    await self._join_again()
            for record in await self._source.fetch(FETCH_SECONDS):
                self._receive(record)
        except SourceUnavailable as error:
            self._observer.source_failed(str(error))
            self._rejoin.set()
            await asyncio.sleep(REJOIN_PAUSE_SECONDS)
            return
        pause, resume = self._throttle.adjust(self._owned)
        self._source.pause(pause)
        self._source.resume(resume)

    def _relieve(self, partition: Partition) -> None:
        """At once, for a fetch that waits for records goes on until some come."""
        if self._throttle.relieve(partition, self._owned) and self._joined:
            self._source.resume([partition])

    def _receive(self, record: Record) -> None:
        owned = self._owned.get(record.partition)
        if owned is None or owned.epoch != record.epoch or owned.lease.over:
            return
        receipt = owned.receive(record)
        if receipt is Receipt.REPEATED:
            self._begun_anew(owned, record)
        if receipt is not Receipt.NEW:
            return
        self._observer.received(record)
        self._progress.moved()
        plan = self._interpret(record)
        if isinstance(plan, Rejection):
            owned.settle(reject(record, plan))
            return
        is_export = ExportHoldings in map(type, plan.steps)
        journal = owned.journal(record, plan, self._render_rows) if is_export else None
        span = self._trace(record, plan) if self._trace is not None else None
        replay = replay_of(record.headers)
        attempted = replay is not None or owned.was_attempted(record)
        job = Job(record, plan, owned.lease, partial(owned.mark, record), attempted, journal, span, replay)
        owned.jobs.add(job)
        if self._lanes.enter(job, plan.writes, plan.reads):
            self._start(job, owned)

    # ── work ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _start(self, job: Job, owned: OwnedPartition) -> None:
        self._running[job] = asyncio.get_running_loop().create_task(self._work(job, owned), name="record")

    async def _work(self, job: Job, owned: OwnedPartition) -> None:
        """The lanes are left when the last call for the record has ended, whatever became of the partition."""
        company = Company(job, partial(self._behind, job))
        try:
            outcome = await self._processing.process(job, company)
            owned.settle(outcome, job.plan.without_steps())
        except OwnershipLost as error:
            self._observer.dropped(job.record, str(error))
        finally:
            for follower, found in company.done:
                self._settle_follower(follower, found)
            del self._running[job]
            self._leave(job, owned)

    def _behind(self, job: Job) -> list[Job]:
        """Those that its next attempt may take along."""
        if self._stopping.is_set():
            return []
        return self._lanes.behind(job, sociable, self._limits.updates_together - 1)

    def _settle_follower(self, follower: Job, outcome: Outcome) -> None:
        """One that was taken along: it leaves its lane before the one that has the word there, so nobody gets it."""
        owned = self._owned.get(follower.record.partition)
        if owned is not None and follower in owned.jobs:  # or its partition was given up meanwhile, and that was told
            owned.settle(outcome, follower.plan)
            self._leave(follower, owned)

    def _leave(self, job: Job, owned: OwnedPartition) -> None:
        owned.jobs.discard(job)
        for other in self._lanes.leave(job):
            holder = self._owned.get(other.record.partition)
            if holder is None or other not in holder.jobs or self._stopping.is_set():
                continue
            self._start(other, holder)

    # ── ownership ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def _claim(self, partition: Partition, epoch: int) -> None:
        now = asyncio.get_running_loop().time
        began = now()
        try:
            with self._progress.expecting(LONGEST_CLAIM_SECONDS):
                claim = await self._source.claim(partition)
        except (SourceUnavailable, OwnershipLost) as error:
            self._observer.partition_lost(partition, f"it could not be claimed: {error}")
            self._rejoin.set()
            return
        owned = OwnedPartition(
            partition, epoch, claim, self._render, self._observer, self._vigil.look, self._progress, self._relieve
        )
        self._owned[partition] = owned
        self._observer.partition_taken(partition, claim.position)
        self._vigil.begin(owned, began)
        owned.start(self._lost)

    def _claim_ended(self, partition: Partition, task: asyncio.Task[None]) -> None:
        if self._claims.get(partition) is task:
            del self._claims[partition]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._observer.partition_lost(partition, f"it could not be claimed: {type(error).__name__}: {error}")
            self._rejoin.set()

    def _lost(self, owned: OwnedPartition, why: str) -> None:
        """The commit loop has ended by itself: whatever we believe of the group is out of date, so join it anew."""
        self._observer.partition_lost(owned.partition, why)
        self._rejoin.set()

    def _begun_anew(self, owned: OwnedPartition, record: Record) -> None:
        """Nothing is ever read twice under one assignment, unless the topic was deleted and made anew: what we know of
        its offsets is then about another log, and must not decide about this one."""
        why = f"offset {record.offset} came although {owned.next_offset} was due: its log begins anew"
        owned.abandon(why)
        self._lost(owned, why)

    async def _join_again(self) -> None:
        self._joined = False
        await self._pause()
        await self._give_up(list(self._owned), "the worker joins its group anew")
        await self._source.stop()
        await self._source.start(self)
        self._rejoin.clear()

    async def _pause(self) -> None:
        """What is claimed is let go, and what is owned comes to rest."""
        for claim in self._claims.values():
            claim.cancel()
        await settle_down(self._owned.values(), self._limits.drain_seconds)

    async def _give_up(self, partitions: Iterable[Partition], why: str) -> None:
        """Forget the partitions: what waits is dropped, what runs may not start another call. Whoever calls this while
        it runs finds the partitions gone."""
        given_up = [self._owned.pop(partition) for partition in partitions]
        for owned in given_up:
            self._observer.partition_released(owned.partition, why)
            owned.lease.end(why)
        for owned in given_up:
            for job in list(owned.jobs):
                if job not in self._running:
                    self._observer.dropped(job.record, why)
                    self._leave(job, owned)
        await asyncio.gather(*(self._close(owned, why) for owned in given_up))

    async def _close(self, owned: OwnedPartition, why: str) -> None:
        try:
            await owned.close(why)
        except TimeoutError:
            self._observer.partition_lost(owned.partition, "its connection could not be closed in time")
