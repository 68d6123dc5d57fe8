"""One record, from its plan to its outcome. Owns attempts, pauses and the merging of findings; settles nothing
itself."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from typing import assert_never

from service.domain.answers import Answer, Denied, Finding, Joint, Pending, Settled, Stumbled, Verdict
from service.domain.codes import Code
from service.domain.operations import ExportHoldings, Plan, Step, Transfer, asked_of, system_of, tenant_of
from service.domain.outcomes import OperationOutcome, Outcome
from service.engine.company import Company, nobody
from service.engine.course import Course
from service.engine.gates import Gate, Gates
from service.engine.job import Job
from service.engine.ports import CallContext, MayLeave, Observer, OwnershipLost, Systems
from service.engine.rejecting import not_attempted
from service.engine.retry import Budget, Repeat, RetryPolicy, Uniform, plan_retry
from service.engine.slots import Slots, give_back, take_at_once, take_in_turn
from service.engine.stopwatch import Phase


class Processing:
    """Carries out plans against the systems.

    Those who wait right behind a record may be taken along by its attempt (`engine.company`); what follows is for each.

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
        self._slots = Slots(concurrency)
        self._uniform = uniform
        self._observer = observer

    @property
    def gates(self) -> Iterable[Gate]:
        """All that there are by now."""
        return self._gates

    async def process(self, job: Job, company: Company | None = None) -> Outcome:
        """The record's one outcome. Raises only `OwnershipLost` (the lease ended) and cancellation.

        Whom its company takes along, and who comes to an outcome by that, is in `company.done` afterwards.
        """
        plan = job.plan
        company = company or Company(job, nobody)
        job.watch.turn(Phase.GATE, job.now())
        operations = self._unconfigured(plan)
        if not operations:
            failed = False
            for step in plan.steps:
                if failed:
                    operations += [not_attempted(asked) for asked in asked_of(step)]
                    continue
                of_step = await self._carry_out(step, job, company)
                operations += of_step
                failed = Verdict.FAILED in [operation.finding.verdict for operation in of_step]
        return _outcome(job, operations)

    def _unconfigured(self, plan: Plan) -> list[OperationOutcome]:
        """When any step cannot be carried out here, none is: what failed why, and the rest not attempted."""
        findings = [self._systems.unconfigured(step) for step in plan.steps]
        if not any(findings):
            return []
        return [
            OperationOutcome(asked, finding) if finding else not_attempted(asked)
            for step, finding in zip(plan.steps, findings, strict=True)
            for asked in asked_of(step)
        ]

    async def _carry_out(self, step: Step, job: Job, company: Company) -> list[OperationOutcome]:
        began_at = job.now()
        course = Course(step, began_at, Budget(began_at), job.attempted, job.joint_attempts)
        while None in course.findings:
            await self._attempt(course, job, company)
        return course.outcomes(job.now())

    async def _attempt(self, course: Course, job: Job, company: Company) -> None:
        """One attempt at what remains, and the pause after it where another is due."""
        gate = self._gates.gate(system_of(course.step), tenant_of(course.step))
        is_probe = not self._passes_at_once(gate, course) and await self._pass(gate, course, job)
        try:
            if not take_at_once(gate.slots, self._slots):
                await take_in_turn(gate.slots, self._slots)
            try:
                if not (is_probe or gate.closed):
                    return
                answer = await self._call(course, job, company, is_probe=is_probe)
                if gate.adapts:
                    _time(gate, course, answer, company, job.now())
            finally:
                give_back(gate.slots, self._slots)
        except BaseException:
            if is_probe:
                gate.abandon()
            raise
        if answer is None:
            return
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
                course.budget = Budget(job.now())
                await job.pause(answer.pause_seconds)
            case _:
                assert_never(answer)

    def _passes_at_once(self, gate: Gate, course: Course) -> bool:
        """Whether there is nothing to wait for at the gate: it is closed, and this is no repeat."""
        if not (gate.closed and course.is_new):
            return False
        gate.first_attempt()
        return True

    async def _pass(self, gate: Gate, course: Course, job: Job) -> bool:
        """Wait at the gate; that time is not spent. Whether the job is the probe."""
        now = job.now
        arrived_at = now()
        job.resumes_at = math.inf
        is_probe = await gate.pass_through(job.lease)
        job.resumes_at = 0.0
        if course.is_new:
            gate.first_attempt()
        elif not is_probe:
            await gate.await_repeat(job.lease)
        waited_seconds = now() - arrived_at
        if waited_seconds:
            course.budget = course.budget.forgive(waited_seconds)
        return is_probe

    async def _call(self, course: Course, job: Job, company: Company, *, is_probe: bool) -> Answer | None:
        """The answer, or None when a joint attempt has decided nothing and the job leaves by itself at once."""
        await job.lease.opened()
        if _looks_at_export(course.remaining):
            answer = await self._ask(course, job, job.lease.opened)  # no rebalance waits for it
        else:
            with job.lease.under_way():
                if not (is_probe or course.uncertain) and company.gather():
                    return await self._ask_together(course, job, company)
                job.ordering = job.journal is not None
                try:
                    answer = await self._ask(course, job, job.lease.may_leave)
                finally:
                    job.ordering = False
        if not isinstance(answer, Denied | Pending):
            course.count_attempt()
        return answer

    async def _ask_together(self, course: Course, job: Job, company: Company) -> Answer | None:
        """One attempt for the job and all its company, in the slot of the job. What of the company is not decided goes
        on waiting behind the job."""
        now = job.now
        job.begun = True
        job.repeat = None
        course.asked_at = now()
        company.turn(Phase.CALL, now())
        joint = await self._ask_jointly(course, job, company)
        company.turn(Phase.LANE, now())
        job.watch.turn(Phase.GATE, now())
        if company.requests and not isinstance(joint.trouble, Denied):
            course.count_attempt()
        course.uncertain |= joint.uncertain
        if joint.findings:
            seconds = now() - course.asked_at
            decided = zip(company.followers, joint.findings[1:], strict=False)
            company.done += [(follower, _outcome_in_company(follower, found, seconds)) for follower, found in decided]
            return Settled(joint.findings[:1])
        return joint.trouble

    async def _ask_jointly(self, course: Course, job: Job, company: Company) -> Joint:
        """What the attempt has come to. Who must leave by themselves from now on have been told so."""
        steps = [member.plan.steps[0] for member in company.members]
        attempt = max(course.attempts) + 1
        context = CallContext(job.span or job.plan.traceparent, False, job.mark, attempt, company.may_leave)
        try:
            with company.under_way():
                joint = await self._systems.attempt_together(steps, context)
        except OwnershipLost:
            uncertain = company.requests > 1  # what leaves first is the read
            if uncertain:
                company.part(len(steps), uncertain=True)
            job.lease.check()
            return Joint(len(steps), uncertain=uncertain)
        except Exception as error:  # noqa: BLE001 - see `_ask`
            self._observer.broken(job.record, job.plan, error)
            joint = Joint(len(steps), trouble=_broken(course, error), apart=True, uncertain=True)
        if joint.apart or not (joint.findings or joint.trouble):
            company.part(joint.count, uncertain=joint.uncertain)
        return joint

    async def _ask(self, course: Course, job: Job, may_leave: MayLeave) -> Answer:
        job.begun = True
        job.repeat = None
        course.asked_at = job.now()
        attempt = max(course.attempts) + 1
        since = job.replay.since if job.replay is not None else None
        traceparent = job.span or job.plan.traceparent
        context = CallContext(traceparent, course.uncertain, job.mark, attempt, may_leave, job.journal, since)
        rows = job.journal.rows if job.journal is not None else 0
        job.watch.turn(Phase.CALL, course.asked_at)
        try:
            answer = await self._systems.attempt(course.remaining, context)
        except OwnershipLost:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the record must come to an outcome
            self._observer.broken(job.record, job.plan, error)
            answer = _broken(course, error)
        job.watch.turn(Phase.GATE, job.now())
        if job.journal is not None and job.journal.rows > rows:
            course.budget = Budget(job.now())  # it has come further: a new stumble is a first one
        return answer

    async def _retry(self, course: Course, answer: Stumbled, job: Job) -> None:
        course.uncertain |= answer.uncertain
        spent = course.budget.spend_attempt()
        budget = plan_retry(self._policy, spent, job.now(), answer.retry_after_seconds, self._uniform)
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


def _time(gate: Gate, course: Course, answer: Answer | None, company: Company, now: float) -> None:
    """Tell the gate how long the system has taken. Denials and pauses say nothing of that."""
    seconds = now - course.asked_at
    kind = type(course.step).__name__
    match answer:
        case Settled(findings):
            gate.timed((kind, findings[0].verdict, bool(company.done)), seconds, stumbled=False)
        case Stumbled():
            gate.timed(kind, seconds, stumbled=True)
        case _:
            pass


def _outcome(job: Job, operations: Iterable[OperationOutcome]) -> Outcome:
    plan, spent = job.plan, job.watch.read(job.now())
    return Outcome(job.record, plan.event, plan.tenant, plan.traceparent, tuple(operations), time.time(), spent=spent)


def _outcome_in_company(follower: Job, finding: Finding, seconds: float) -> Outcome:
    """Of one who was taken along by another record."""
    attempts, duration_ms = follower.joint_attempts + 1, round(seconds * 1000)
    asked = asked_of(follower.plan.steps[0])
    return _outcome(follower, [OperationOutcome(one, finding, attempts, duration_ms) for one in asked])


def _may_have_been_applied_unseen(step: Step) -> bool:
    """Of a step whose call must not happen twice. An export that has its id was asked for, and no riddle is left."""
    return isinstance(step, Transfer) or (isinstance(step, ExportHoldings) and step.export_id is None)


def _looks_at_export(step: Step) -> bool:
    """Whether its export has been asked for: from then on whoever has the partition can go on with it."""
    return isinstance(step, ExportHoldings) and step.export_id is not None


def _broken(course: Course, error: Exception) -> Stumbled:
    """An adapter raised, which it must not: a defect of ours. Nobody knows how far the call had come."""
    message = f"the relay itself failed in this call ({type(error).__name__}); its log has the place"
    return Stumbled(course.remaining, (None,) * len(asked_of(course.remaining)), None, message, uncertain=True)
