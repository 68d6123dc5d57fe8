"""One record, from its plan to its outcome. Owns attempts, pauses and the merging of findings; settles nothing
itself."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from service.domain.answers import Answer, Denied, Finding, Pending, Settled, Stumbled, Verdict, failed
from service.domain.codes import Code
from service.domain.operations import Asked, ExportHoldings, Plan, Step, Transfer, asked_of, system_of, tenant_of
from service.domain.outcomes import Fault, OperationOutcome, Outcome, Rejection
from service.domain.record import Record
from service.domain.replays import Replay
from service.engine.gates import Gate, Gates
from service.engine.lease import Lease
from service.engine.ports import CallContext, Journal, Observer, OwnershipLost, Systems
from service.engine.retry import Budget, Repeat, RetryPolicy, Uniform, plan_retry
from service.engine.stopwatch import Phase, Stopwatch


@dataclass(slots=True, eq=False)
class Job:
    """A record with its plan, under the lease of its partition. The last four fields tell how far it has come."""

    record: Record
    plan: Plan
    lease: Lease
    mark: Callable[[], Awaitable[None]]
    attempted: bool
    """Whether a call that must not happen twice may have been made before: for this record by an earlier owner of the
    partition, or for the dead letter that it was."""
    journal: Journal | None = None
    """Of an export, which keeps what it has done as it goes. So it may be broken off at any time."""
    span: str | None = None
    """W3C trace context of our own span for the record; None when none is recorded."""
    replay: Replay | None = None
    """What the record says of the dead letter that it was."""
    begun: bool = False
    resumes_at: float = 0.0
    """When the next attempt is due, by the loop's clock; in the past while none is awaited."""
    repeat: Repeat | None = None
    """What the attempt before came to, from its end to the beginning of the next; None where nothing is repeated."""
    watch: Stopwatch = field(default_factory=lambda: Stopwatch(asyncio.get_running_loop().time()))
    """Where its time goes; begins in its lanes."""

    async def pause(self, seconds: float) -> None:
        """Let `seconds` pass, or raise `OwnershipLost`."""
        now = asyncio.get_running_loop().time
        self.resumes_at = now() + seconds
        self.watch.turn(Phase.PAUSE, now())
        await self.lease.pause(seconds)
        self.watch.turn(Phase.GATE, now())


@dataclass(slots=True)
class _Course:
    """How far a step has come."""

    step: Step
    started_at: float
    budget: Budget
    uncertain: bool
    remaining: Step = field(init=False)
    findings: list[Finding | None] = field(init=False)
    attempts: list[int] = field(init=False)

    def __post_init__(self) -> None:
        count = len(asked_of(self.step))
        self.remaining = self.step
        self.findings = [None] * count
        self.attempts = [0] * count

    @property
    def asked(self) -> tuple[Asked, ...]:
        """An export gets its name on the way."""
        return asked_of(self.remaining if isinstance(self.remaining, ExportHoldings) else self.step)

    def count_attempt(self) -> None:
        for index, finding in enumerate(self.findings):
            self.attempts[index] += finding is None

    def take(self, findings: Sequence[Finding | None], remaining: Step) -> None:
        """Fill the open places, in order, with what an attempt at `self.remaining` found."""
        places = [index for index, finding in enumerate(self.findings) if finding is None]
        for index, finding in zip(places, findings, strict=True):
            self.findings[index] = finding
        self.remaining = remaining

    def give_up(self, code: Code, status: int | None, message: str) -> None:
        self.findings = [finding or failed(code, status, message) for finding in self.findings]

    def outcomes(self, now: float) -> list[OperationOutcome]:
        duration_ms = round((now - self.started_at) * 1000)
        return [
            OperationOutcome(asked, finding, attempts, duration_ms)
            for asked, finding, attempts in zip(self.asked, self.findings, self.attempts, strict=True)
            if finding is not None
        ]


class Processing:
    """Carries out plans against the systems.

    waiting for a slot ──▶ calling ──Settled──▶ next step ──▶ … ──▶ outcome
           ▲                  ├──Stumbled──▶ pausing ──┐  (no slot held; past the budget: failed)
           │                  ├──Pending───▶ pausing ──┤  (no slot held, no attempt spent)
           │                  └──Denied────▶ waiting ──┤  (no slot held, no attempt spent)
           └───────────────────────────────────────────┘
    """

    def __init__(
        self,
        systems: Systems,
        gates: Gates,
        policy: RetryPolicy,
        concurrency: int,
        uniform: Uniform,
        observer: Observer,
    ) -> None:
        self._systems = systems
        self._gates = gates
        self._policy = policy
        self._slots = asyncio.Semaphore(concurrency)
        self._uniform = uniform
        self._observer = observer

    @property
    def gates(self) -> Iterable[Gate]:
        """All that there are by now."""
        return self._gates

    async def process(self, job: Job) -> Outcome:
        """The record's one outcome. Raises only `OwnershipLost` (the lease ended) and cancellation."""
        plan = job.plan
        now = asyncio.get_running_loop().time
        job.watch.turn(Phase.GATE, now())
        operations = self._unconfigured(plan)
        if not operations:
            for step in plan.steps:
                if any(operation.finding.verdict is Verdict.FAILED for operation in operations):
                    operations += [_not_attempted(asked) for asked in asked_of(step)]
                else:
                    operations += await self._carry_out(step, job)
        spent = job.watch.read(now())
        return Outcome(
            job.record, plan.event, plan.tenant, plan.traceparent, tuple(operations), time.time(), spent=spent
        )

    def _unconfigured(self, plan: Plan) -> list[OperationOutcome]:
        """When any step cannot be carried out here, none is: what failed why, and the rest not attempted."""
        findings = [self._systems.unconfigured(step) for step in plan.steps]
        if not any(findings):
            return []
        return [
            OperationOutcome(asked, finding) if finding else _not_attempted(asked)
            for step, finding in zip(plan.steps, findings, strict=True)
            for asked in asked_of(step)
        ]

    async def _carry_out(self, step: Step, job: Job) -> list[OperationOutcome]:
        now = asyncio.get_running_loop().time
        course = _Course(step, now(), Budget(now()), uncertain=job.attempted)
        while None in course.findings:
            await self._attempt(course, job)
        return course.outcomes(now())

    async def _attempt(self, course: _Course, job: Job) -> None:
        """One attempt at what remains, and the pause after it where another is due."""
        gate = self._gates.gate(system_of(course.step), tenant_of(course.step))
        is_probe = await self._pass(gate, course, job)
        try:
            async with gate.slots, self._slots:
                if not (is_probe or gate.closed):
                    return
                answer = await self._call(course, job)
        except BaseException:
            if is_probe:
                gate.abandon()
            raise
        gate.learn(job, answer)
        match answer:
            case Settled(findings):
                course.take(findings, course.remaining)
            case Stumbled():
                course.take(answer.findings, answer.remaining)
                await self._retry(course, answer, job)
            case Denied():
                course.take(answer.findings, answer.remaining)
            case Pending():
                course.take(answer.findings, answer.remaining)
                course.budget = Budget(asyncio.get_running_loop().time())
                await job.pause(answer.pause_seconds)
            case _:
                assert_never(answer)

    async def _pass(self, gate: Gate, course: _Course, job: Job) -> bool:
        """Wait at the gate; that time is not spent. Whether the job is the probe."""
        now = asyncio.get_running_loop().time
        arrived_at = now()
        job.resumes_at = math.inf
        is_probe = await gate.pass_through(job.lease)
        job.resumes_at = 0.0
        if not any(course.attempts):
            gate.first_attempt()
        elif not is_probe:
            await gate.await_repeat(job.lease)
        course.budget = course.budget.forgive(now() - arrived_at)
        return is_probe

    async def _call(self, course: _Course, job: Job) -> Answer:
        if job.journal is not None:
            await job.lease.opened()
            answer = await self._ask(course, job)
        else:
            async with job.lease.call():
                answer = await self._ask(course, job)
        if not isinstance(answer, Denied | Pending):
            course.count_attempt()
        return answer

    async def _ask(self, course: _Course, job: Job) -> Answer:
        job.begun = True
        job.repeat = None
        attempt = max(course.attempts) + 1
        since = job.replay.since if job.replay is not None else None
        may_leave = job.lease.opened if job.journal is not None else job.lease.may_leave  # no rebalance waits for it
        traceparent = job.span or job.plan.traceparent
        context = CallContext(traceparent, course.uncertain, job.mark, attempt, may_leave, job.journal, since)
        rows = job.journal.rows if job.journal is not None else 0
        now = asyncio.get_running_loop().time
        job.watch.turn(Phase.CALL, now())
        try:
            answer = await self._systems.attempt(course.remaining, context)
        except OwnershipLost:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the record must come to an outcome
            self._observer.broken(job.record, job.plan, error)
            answer = _broken(course, error)
        job.watch.turn(Phase.GATE, now())
        if job.journal is not None and job.journal.rows > rows:
            course.budget = Budget(now())  # it has come further: a new stumble is a first one
        return answer

    async def _retry(self, course: _Course, answer: Stumbled, job: Job) -> None:
        course.uncertain |= answer.uncertain
        now = asyncio.get_running_loop().time()
        budget = plan_retry(self._policy, course.budget.spend_attempt(), now, answer.retry_after_seconds, self._uniform)
        if budget is None:
            unknown = course.uncertain and _may_have_been_applied_unseen(course.remaining)
            course.give_up(Code.OUTCOME_UNKNOWN if unknown else Code.UNAVAILABLE, answer.status, answer.message)
            return
        course.budget = budget
        job.repeat = Repeat(system_of(course.step), budget.attempts, answer.message)
        self._observer.retrying(
            job.record, job.plan, system_of(course.step), budget.attempts, budget.pause_seconds, answer.message
        )
        await job.pause(budget.pause_seconds)


def _may_have_been_applied_unseen(step: Step) -> bool:
    """Of a step whose call must not happen twice. An export that has its id was asked for, and no riddle is left."""
    return isinstance(step, Transfer) or (isinstance(step, ExportHoldings) and step.export_id is None)


def _broken(course: _Course, error: Exception) -> Stumbled:
    """An adapter raised, which it must not: a defect of ours. Nobody knows how far the call had come."""
    message = f"the relay itself failed in this call ({type(error).__name__}); its log has the place"
    return Stumbled(course.remaining, (None,) * len(asked_of(course.remaining)), None, message, uncertain=True)


def reject(record: Record, rejection: Rejection) -> Outcome:
    """The outcome of a record that is refused before anything is called."""
    return Outcome(
        record,
        rejection.event,
        rejection.tenant,
        rejection.traceparent,
        _rejected_operations(rejection),
        time.time(),
        True,
    )


_PARTS = {"eholdings": "eholdings", "inventory": "inventory", "holdings-sources": "holdingsSource"}
_LISTS = {"transfer-item": "itemTransfers", "transfer-holdings": "holdingTransfers"}


def _rejected_operations(rejection: Rejection) -> tuple[OperationOutcome, ...]:
    """An entry for each thing asked for, the faults with the first that they are about; one without a name where
    nothing can be told."""
    finding = failed(rejection.code, None, rejection.message)
    by_part: dict[str, list[Fault]] = {}
    for fault in rejection.faults:
        by_part.setdefault(_part_of(fault), []).append(fault)
    entries: list[OperationOutcome] = []
    for asked in rejection.asked:
        part = _LISTS.get(asked.operation or "") or _PARTS.get(asked.system or "", "")
        mine = by_part.pop(part, None)
        entries.append(OperationOutcome(asked, finding, faults=tuple(mine)) if mine else _not_attempted(asked))
    if not entries:
        return (OperationOutcome(Asked(None, None, None), finding, faults=rejection.faults),)
    left = [fault for fault in rejection.faults if _part_of(fault) in by_part]
    first = next((i for i, entry in enumerate(entries) if entry.finding.code is not Code.NOT_ATTEMPTED), 0)
    if left or entries[first].finding.code is Code.NOT_ATTEMPTED:
        entries[first] = OperationOutcome(entries[first].asked, finding, faults=(*entries[first].faults, *left))
    return tuple(entries)


def _part_of(fault: Fault) -> str:
    return fault.path.removeprefix("data.").partition(".")[0].partition("[")[0]


def _not_attempted(asked: Asked) -> OperationOutcome:
    return OperationOutcome(
        asked, failed(Code.NOT_ATTEMPTED, None, "not attempted: another operation of the event had failed")
    )
