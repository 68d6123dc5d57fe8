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
    ExportHoldings,
    Step,
    asked_of,
)
from service.domain.outcomes import Overall
from service.engine.ports import OwnershipLost
from tests.builders.outcomes import record
from tests.fakes.processing import ATTEMPTS, CALL_SECONDS, POLICY, codes, transfer, update
from tests.fakes.processing import ProcessingSubject as Subject
from tests.fakes.systems import deny, refuse, stumble

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


async def test_calls_carry_on_the_span_of_the_record_and_the_result_what_the_event_had() -> None:
    subject = Subject()
    job = subject.job(update(), traceparent="00-1-2-01")
    job.span = "00-1-3-01"

    outcome = await subject.processing.process(job)

    assert (subject.systems.calls[0].context.traceparent, outcome.traceparent) == ("00-1-3-01", "00-1-2-01")


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


async def test_each_request_of_an_attempt_asks_the_lease_of_its_partition() -> None:
    subject = Subject()

    await subject.process(update())
    subject.lease.end("lost")

    with pytest.raises(OwnershipLost, match="lost"):
        await subject.systems.calls[0].context.may_leave()


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


@pytest.mark.parametrize(("export_id", "code"), [(None, Code.OUTCOME_UNKNOWN), ("e-1", Code.UNAVAILABLE)])
async def test_only_an_export_without_an_id_may_have_been_asked_for_unseen(export_id: str | None, code: Code) -> None:
    subject = Subject()
    step = ExportHoldings("apidemo", "KBART2", "CSV", export_id)
    subject.systems.replies[asked_of(step)[0].target or ""].extend([stumble()] * ATTEMPTS)

    outcome = await subject.process(step, attempted=True)

    assert codes(outcome) == [code]


def break_down(step: Step) -> Answer:
    """An adapter with a defect: it raises, with a secret in its words."""
    raise ValueError("token t0p-secret")


@pytest.mark.parametrize(
    ("step", "key", "code"),
    [(update(), "1-2-3", Code.UNAVAILABLE), (transfer("i1"), "i1", Code.OUTCOME_UNKNOWN)],
    ids=["may be repeated", "must not happen twice"],
)
async def test_an_adapter_that_raises_is_an_outcome_all_the_same_and_its_words_are_not_told(
    step: Step, key: str, code: Code
) -> None:
    subject = Subject()
    subject.systems.replies[key].extend([break_down] * ATTEMPTS)

    outcome = await subject.process(step)

    (entry,) = outcome.operations
    assert (entry.finding.code, entry.attempts) == (code, ATTEMPTS)
    assert "ValueError" in (entry.finding.message or "")
    assert "t0p-secret" not in (entry.finding.message or "")
