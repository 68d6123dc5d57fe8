"""One record, from its plan to its outcome."""

from __future__ import annotations

import asyncio

import pytest

from service.domain.answers import (
    Answer,
    Denial,
    Denied,
    Finding,
    Settled,
    Stumbled,
    Verdict,
    failed,
    succeeded,
    unchanged,
)
from service.domain.codes import Code
from service.domain.operations import (
    Asked,
    EventIdentity,
    Plan,
    Step,
    Transfer,
    TransferEntry,
    UpdateResource,
    asked_of,
)
from service.domain.outcomes import Outcome, Overall
from service.engine.circuit import CircuitPolicy
from service.engine.gates import Gates
from service.engine.lease import Lease
from service.engine.ports import OwnershipLost
from service.engine.processing import Job, Processing
from service.engine.retry import RetryPolicy
from tests.builders.outcomes import record
from tests.fakes.recording import RecordingObserver
from tests.fakes.systems import FakeSystems, deny, refuse, stumble, succeed

ATTEMPTS = 4
POLICY = RetryPolicy(max_attempts=ATTEMPTS, initial_seconds=1, max_seconds=20, deadline_seconds=600)
CALL_SECONDS = 0.01


def update(resource_id: str = "1-2-3") -> UpdateResource:
    return UpdateResource("diku", resource_id, {}, None)


def transfer(*items: str) -> Transfer:
    return Transfer("PUL", (), tuple(TransferEntry(Asked("scsb", "transfer-item", item), {}, {}) for item in items))


def plan(*steps: Step, traceparent: str | None = None) -> Plan:
    return Plan(EventIdentity("e1", "/ils", "holdings.changed"), "diku", traceparent, steps, frozenset())


class Subject:
    """A processing with everything around it. Pauses are the shortest that the policy allows."""

    def __init__(self, concurrency: int = 10, circuit: CircuitPolicy | None = None) -> None:
        self.systems = FakeSystems()
        self.observer = RecordingObserver()
        self.lease = Lease()
        self.marks = 0
        gates = Gates(circuit or CircuitPolicy(), _shortest, self.observer)
        self.processing = Processing(self.systems, gates, POLICY, concurrency, _shortest, self.observer)

    async def process(self, *steps: Step, attempted: bool = False, traceparent: str | None = None) -> Outcome:
        return await self.processing.process(self.job(*steps, attempted=attempted, traceparent=traceparent))

    def job(self, *steps: Step, attempted: bool = False, traceparent: str | None = None) -> Job:
        return Job(record(), plan(*steps, traceparent=traceparent), self.lease, self._mark, attempted)

    async def _mark(self) -> None:
        self.marks += 1


def _shortest(low: float, high: float) -> float:
    return low


def codes(outcome: Outcome) -> list[Code | None]:
    return [operation.finding.code for operation in outcome.operations]


# ── steps ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_outcome_says_of_which_record_and_event_it_is_and_what_was_found() -> None:
    subject = Subject()
    subject.systems.replies["1-2-3"].append(lambda step: Settled((unchanged(200, "as it was"),)))

    outcome = await subject.process(update(), traceparent="00-1-2-01")

    assert (outcome.record, outcome.event.id, outcome.tenant) == (record(), "e1", "diku")
    (operation,) = outcome.operations
    assert operation.asked == Asked("eholdings", "update", "1-2-3")
    assert operation.finding == unchanged(200, "as it was")
    assert (operation.attempts, operation.duration_ms) == (1, CALL_SECONDS * 1000)
    assert subject.systems.calls[0].context.traceparent == outcome.traceparent == "00-1-2-01"
    assert not outcome.rejected


async def test_steps_are_carried_out_one_after_the_other_in_their_order() -> None:
    subject = Subject()

    outcome = await subject.process(update("1"), update("2"), update("3"))

    assert subject.systems.called == ["1", "2", "3"]
    ends = [call.ended_at for call in subject.systems.calls]
    assert [call.started_at for call in subject.systems.calls[1:]] == ends[:2]
    assert outcome.overall is Overall.SUCCEEDED


async def test_what_comes_after_a_failure_is_not_attempted_and_what_came_before_stands() -> None:
    subject = Subject()
    subject.systems.replies["2"].append(refuse)

    outcome = await subject.process(update("1"), update("2"), transfer("3", "4"))

    assert subject.systems.called == ["1", "2"]
    assert codes(outcome) == [None, Code.REFUSED, Code.NOT_ATTEMPTED, Code.NOT_ATTEMPTED]
    assert [operation.attempts for operation in outcome.operations] == [1, 1, 0, 0]
    assert outcome.overall is Overall.PARTIAL
    assert outcome.first_failure == outcome.operations[1]


async def test_when_one_step_cannot_be_carried_out_here_nothing_is_called() -> None:
    subject = Subject()
    subject.systems.refused["3"] = failed(Code.SYSTEM_NOT_CONFIGURED, None, "SCSB has no URL")

    outcome = await subject.process(update("1"), transfer("3", "4"))

    assert subject.systems.calls == []
    assert codes(outcome) == [Code.NOT_ATTEMPTED, Code.SYSTEM_NOT_CONFIGURED, Code.SYSTEM_NOT_CONFIGURED]
    assert outcome.overall is Overall.FAILED
    assert outcome.first_failure == outcome.operations[1]


# ── attempts ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_stumble_is_followed_by_a_pause_and_another_attempt() -> None:
    subject = Subject()
    subject.systems.replies["1-2-3"].extend([stumble(), stumble()])

    outcome = await subject.process(update())

    assert outcome.overall is Overall.SUCCEEDED
    assert outcome.operations[0].attempts == 3
    assert [call.context.attempt for call in subject.systems.calls] == [1, 2, 3]
    assert subject.observer.retries == [("eholdings", 1, 1.0, "try later"), ("eholdings", 2, 1.0, "try later")]
    assert outcome.operations[0].duration_ms == pytest.approx(2000 + 3 * CALL_SECONDS * 1000, abs=1)


async def test_past_the_budget_the_operation_is_unavailable_with_the_last_words_of_the_system() -> None:
    subject = Subject()
    subject.systems.replies["1-2-3"].extend([stumble(status=None)] * (ATTEMPTS - 1) + [stumble(status=502)])

    outcome = await subject.process(update())

    (operation,) = outcome.operations
    assert operation.finding == failed(Code.UNAVAILABLE, 502, "try later")
    assert operation.attempts == ATTEMPTS == len(subject.systems.calls)


async def test_a_system_that_names_a_time_past_the_deadline_is_not_asked_again() -> None:
    subject = Subject()
    subject.systems.replies["1-2-3"].append(stumble(retry_after_seconds=POLICY.deadline_seconds + 1, status=429))

    outcome = await subject.process(update())

    assert codes(outcome) == [Code.UNAVAILABLE]
    assert asyncio.get_running_loop().time() == pytest.approx(CALL_SECONDS)


async def test_every_step_has_a_budget_of_its_own() -> None:
    subject = Subject()
    for step in ("1", "2"):
        subject.systems.replies[step].extend([stumble()] * (ATTEMPTS - 1))

    outcome = await subject.process(update("1"), update("2"))

    assert outcome.overall is Overall.SUCCEEDED
    assert [operation.attempts for operation in outcome.operations] == [ATTEMPTS, ATTEMPTS]


async def test_a_denial_spends_no_attempt_however_often_it_comes() -> None:
    subject = Subject()
    subject.systems.replies["1-2-3"].extend([deny(Denial.CREDENTIALS)] * 50 + [stumble()])

    outcome = await subject.process(update())

    assert outcome.overall is Overall.SUCCEEDED
    assert outcome.operations[0].attempts == 2
    assert {call.context.attempt for call in subject.systems.calls[:51]} == {1}
    assert asyncio.get_running_loop().time() > POLICY.deadline_seconds, "time in which nothing is taken is not spent"


async def test_what_a_denied_attempt_had_decided_stands() -> None:
    subject = Subject()

    def deny_the_second(step: Step) -> Answer:
        return Denied(Denial.CREDENTIALS, transfer("b"), (succeeded(200), None), 401, "who are you?")

    subject.systems.replies["a"].append(deny_the_second)

    outcome = await subject.process(transfer("a", "b"))

    assert subject.systems.called == ["a", "b"]
    assert [operation.finding.verdict for operation in outcome.operations] == [Verdict.SUCCEEDED] * 2


# ── transfers ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _leave_open(step: Step, decided: dict[str, Finding]) -> Stumbled:
    """A stumble that has decided some entries; the others remain."""
    targets = [asked.target or "" for asked in asked_of(step)]
    remaining = transfer(*[target for target in targets if target not in decided])
    return Stumbled(remaining, tuple(decided.get(target) for target in targets), 500, "broke off", uncertain=True)


async def test_findings_of_a_partial_transfer_are_merged_over_its_attempts() -> None:
    subject = Subject()
    refused = failed(Code.REFUSED, 200, "source does not exist")
    subject.systems.replies["a"].extend(
        [
            lambda step: _leave_open(step, {"b": succeeded(200)}),
            lambda step: _leave_open(step, {"d": refused, "a": succeeded(200, "second time")}),
        ]
    )
    subject.systems.replies["c"].append(lambda step: Settled((succeeded(200, "third time"),)))

    outcome = await subject.process(transfer("a", "b", "c", "d"))

    found = {
        operation.asked.target: (operation.finding.message, operation.attempts) for operation in outcome.operations
    }
    assert found == {"a": ("second time", 2), "b": (None, 1), "c": ("third time", 3), "d": (refused.message, 2)}
    assert outcome.overall is Overall.PARTIAL


async def test_a_transfer_that_may_have_been_applied_ends_as_outcome_unknown() -> None:
    subject = Subject()
    subject.systems.replies["a"].extend([stumble(), stumble(uncertain=True)] + [stumble()] * (ATTEMPTS - 2))

    outcome = await subject.process(transfer("a", "b"))

    assert codes(outcome) == [Code.OUTCOME_UNKNOWN] * 2
    assert [call.context.uncertain for call in subject.systems.calls] == [False, False, True, True]


async def test_a_transfer_that_was_surely_not_applied_ends_as_unavailable() -> None:
    subject = Subject()
    subject.systems.replies["a"].extend([stumble()] * ATTEMPTS)

    outcome = await subject.process(transfer("a"))

    assert codes(outcome) == [Code.UNAVAILABLE]


async def test_only_a_transfer_can_end_as_outcome_unknown() -> None:
    subject = Subject()
    subject.systems.replies["1-2-3"].extend([stumble(uncertain=True)] * ATTEMPTS)

    outcome = await subject.process(update())

    assert codes(outcome) == [Code.UNAVAILABLE]


async def test_an_attempt_of_an_earlier_owner_makes_the_first_attempt_uncertain() -> None:
    subject = Subject()
    subject.systems.replies["a"].extend([stumble()] * ATTEMPTS)

    outcome = await subject.process(transfer("a"), attempted=True)

    assert all(call.context.uncertain for call in subject.systems.calls)
    assert codes(outcome) == [Code.OUTCOME_UNKNOWN]


async def test_the_adapter_is_given_the_mark_of_the_record() -> None:
    subject = Subject()
    subject.systems.marking.add("a")

    await subject.process(transfer("a"))

    assert subject.marks == 1


# ── slots and leases ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_no_more_calls_run_at_once_than_there_are_slots() -> None:
    subject = Subject(concurrency=3)
    jobs = [asyncio.create_task(subject.process(update(str(number)))) for number in range(10)]
    running: list[int] = []
    while not all(job.done() for job in jobs):
        running.append(len(subject.systems.running()))
        await asyncio.sleep(CALL_SECONDS / 2)

    assert max(running) == 3
    assert asyncio.get_running_loop().time() == pytest.approx(4 * CALL_SECONDS, abs=CALL_SECONDS)


async def test_a_record_that_pauses_holds_no_slot() -> None:
    subject = Subject(concurrency=1)
    subject.systems.replies["slow"].append(stumble(retry_after_seconds=300))
    retrying = asyncio.create_task(subject.process(update("slow")))
    await asyncio.sleep(1)

    await subject.process(update("quick"))

    assert asyncio.get_running_loop().time() == pytest.approx(1 + CALL_SECONDS)
    await retrying


async def test_a_record_whose_system_is_shut_holds_no_slot() -> None:
    subject = Subject(concurrency=1)
    subject.systems.replies["denied"].append(deny(Denial.QUOTA, retry_after_seconds=3600))
    waiting = asyncio.create_task(subject.process(update("denied")))
    await asyncio.sleep(1)

    await subject.process(transfer("another system"))

    assert asyncio.get_running_loop().time() == pytest.approx(1 + CALL_SECONDS)
    await waiting
    assert asyncio.get_running_loop().time() > 3600


async def test_no_attempt_starts_once_the_lease_has_ended() -> None:
    subject = Subject()
    subject.systems.replies["1-2-3"].append(stumble(retry_after_seconds=100))
    processing = asyncio.create_task(subject.process(update()))
    await asyncio.sleep(1)

    subject.lease.end("lost")

    with pytest.raises(OwnershipLost, match="lost"):
        await processing
    assert len(subject.systems.calls) == 1
    assert asyncio.get_running_loop().time() == 1.0


async def test_no_further_step_starts_once_the_lease_has_ended() -> None:
    subject = Subject()
    finish = subject.systems.hold("1")
    processing = asyncio.create_task(subject.process(update("1"), update("2")))
    await asyncio.sleep(1)
    subject.lease.end("lost")

    finish.set()

    with pytest.raises(OwnershipLost):
        await processing
    assert subject.systems.called == ["1"]


async def test_the_lease_is_busy_while_a_call_runs_and_not_while_the_record_pauses() -> None:
    subject = Subject()
    subject.systems.seconds["1-2-3"] = 5
    subject.systems.replies["1-2-3"].append(stumble(retry_after_seconds=100))
    processing = asyncio.create_task(subject.process(update()))
    await asyncio.sleep(1)

    await subject.lease.idle()

    assert asyncio.get_running_loop().time() == 5.0
    await processing


async def test_a_job_tells_whether_it_has_begun_and_when_it_goes_on() -> None:
    subject = Subject()
    subject.systems.replies["1-2-3"].append(stumble(retry_after_seconds=100))
    job = subject.job(update())
    begun = [job.begun]
    processing = asyncio.create_task(subject.processing.process(job))
    await asyncio.sleep(1)

    assert [*begun, job.begun] == [False, True]
    assert job.resumes_at == pytest.approx(100 + CALL_SECONDS)
    await processing


async def test_a_probe_that_is_cancelled_leaves_the_turn_to_another() -> None:
    subject = Subject()
    subject.systems.replies["denied"].append(deny(retry_after_seconds=10))
    first = asyncio.create_task(subject.process(update("denied")))
    await asyncio.sleep(1)
    second = asyncio.create_task(subject.process(update("second")))
    subject.systems.hold("denied")
    await asyncio.sleep(20)
    assert subject.systems.running() == ["denied"]

    first.cancel()

    assert (await second).overall is Overall.SUCCEEDED
    assert first.cancelled()


async def test_success_after_any_trouble_says_nothing_of_it_but_the_attempts() -> None:
    subject = Subject()
    subject.systems.replies["a"].extend([stumble(uncertain=True), deny(), succeed])

    outcome = await subject.process(transfer("a"))

    (operation,) = outcome.operations
    assert operation.finding == succeeded(200)
    assert operation.attempts == 2
