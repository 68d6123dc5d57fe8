"""What must hold of every record and of every answer, whatever is in them. Raises AssertionError where it does not."""

from __future__ import annotations

import math
import re
from typing import Final

import orjson

from service.domain.answers import Answer, Denied, Finding, Pending, Settled, Stumbled, Verdict, failed, succeeded
from service.domain.codes import Code
from service.domain.operations import Plan, Step, asked_of
from service.domain.outcomes import OperationOutcome, Outcome, Overall, Rejection
from service.domain.record import Record
from service.engine.rejecting import reject
from service.kafka.records_out import MAX_RESULT_BYTES, RecordsOut
from service.routes import interpret
from service.systems.messages import MAX_MESSAGE_CHARACTERS
from service.systems.retry_after import MAX_RETRY_AFTER_SECONDS
from tests.builders.events import MAX_BYTES

MAX_ADDED_BYTES: Final = 10_000
"""What a dead letter may have beyond its record."""

_RENDER: Final = RecordsOut("/holdings-relay/fuzz")
_SECRET: Final = re.compile(
    r"(?:ce_)?(?:authorization|cookie|set-cookie|x-okapi-token|api_key|x-api-key)", re.IGNORECASE
)


def judge_record(record: Record) -> str:
    """Takes a record from its bytes to the records that tell of it. The code of a refusal, or `accepted`."""
    plan = interpret(record, default_tenant="diku", max_bytes=MAX_BYTES)
    if isinstance(plan, Rejection):
        judge_outcome(reject(record, plan), Overall.FAILED)
        return str(plan.code)
    judge_plan(plan)
    judge_outcome(_carried_out(record, plan, succeeded(200)), Overall.SUCCEEDED)
    judge_outcome(_carried_out(record, plan, failed(Code.REFUSED, 422, "no\x00 \U0010ffff")), Overall.FAILED)
    return "accepted"


def judge_plan(plan: Plan) -> None:
    """Every step answers for something, every key names something, and what is written is not read besides."""
    assert plan.steps
    for asked in (asked for step in plan.steps for asked in asked_of(step) or [None]):
        assert asked is not None, "a step that answers for nothing"
        assert asked.system, asked
        assert asked.operation, asked
        assert asked.target, asked
    assert plan.writes
    assert not plan.writes & plan.reads
    for key in plan.writes | plan.reads:
        assert len(key) >= 3, key
        assert all(isinstance(part, str) for part in key), key
        assert key[0] in ("eholdings", "inventory", "holdings-source", "scsb", "holdingsiq"), key


def judge_outcome(outcome: Outcome, overall: Overall | None = None) -> None:
    """The records that tell of an outcome can be stored, say what they must, and give no secret away."""
    assert outcome.operations
    assert overall is None or outcome.overall is overall
    result, *letters = _RENDER(outcome)
    assert result.value is not None
    assert len(result.value) <= MAX_RESULT_BYTES, len(result.value)
    data = orjson.loads(result.value)["data"]
    assert data["outcome"] == outcome.overall
    assert data["operations"]
    assert result.key == outcome.record.key
    assert len(letters) == (outcome.overall in (Overall.FAILED, Overall.PARTIAL))
    for letter in letters:
        record = outcome.record
        assert (letter.key, letter.value) == (record.key, record.value)
        sent = set(letter.headers)
        kept = tuple(header for header in record.headers if header in sent)
        assert letter.headers[: len(kept)] == kept
        added = letter.headers[len(kept) :]
        assert all(name.startswith("relay-") for name, _ in added), added
        assert sum(len(name) + len(value or b"") for name, value in added) < MAX_ADDED_BYTES
        assert not [name for name, _ in letter.headers if _SECRET.fullmatch(name)]


def judge_answer(step: Step, answer: Answer) -> str:
    """An answer decides everything it was asked, or says what is left. Its kind."""
    count = len(asked_of(step))
    match answer:
        case Settled(findings):
            assert len(findings) == count
            for finding in findings:
                _judge_finding(finding)
            return f"settled {'+'.join(sorted({str(f.verdict) for f in findings}))}"
        case Stumbled() | Denied():
            assert len(answer.findings) == count
            left = sum(finding is None for finding in answer.findings)
            assert len(asked_of(answer.remaining)) == left > 0
            for known in answer.findings:
                if known is not None:
                    _judge_finding(known)
            _judge_words(answer.message)
            wait = answer.retry_after_seconds
            assert wait is None or 0 <= wait <= MAX_RETRY_AFTER_SECONDS
            return "stumbled" if isinstance(answer, Stumbled) else f"denied {answer.reason}"
        case Pending():
            assert len(answer.findings) == count
            assert 0 <= answer.pause_seconds < math.inf
            return "pending"


def judge_wait(seconds: float | None) -> str:
    assert seconds is None or (math.isfinite(seconds) and 0 <= seconds <= MAX_RETRY_AFTER_SECONDS)
    return "none" if seconds is None else "a wait"


def _judge_finding(finding: Finding) -> None:
    assert (finding.code is not None) == (finding.verdict is Verdict.FAILED), finding
    assert finding.code is None or finding.message
    if finding.message is not None:
        _judge_words(finding.message)


def _judge_words(message: str) -> None:
    assert message
    assert len(message) <= 3 * MAX_MESSAGE_CHARACTERS, len(message)
    assert "secret" not in message


def _carried_out(record: Record, plan: Plan, finding: Finding) -> Outcome:
    operations = tuple(OperationOutcome(asked, finding, 1, 5) for step in plan.steps for asked in asked_of(step))
    return Outcome(record, plan.event, plan.tenant, plan.traceparent, operations, record.received_at + 1)
