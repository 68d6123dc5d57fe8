"""No event of the permitted size, and no answer of a system, holds the event loop for long.

Times are of the processor, and the limits about ten times what was measured, for machines that are slow or busy. What
is quadratic takes tens of seconds at these sizes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import orjson
import pytest

from service.domain.answers import Pending, Settled, Stumbled
from service.domain.operations import Step, system_of
from tests.contract.cases import item_transfer
from tests.fuzz.calling import STEPS, Attempt, attempt_at
from tests.fuzz.judging import judge_record
from tests.fuzz.near_answers import NearAnswer
from tests.fuzz.worst_cases import WORST_CASES

EVENT_SECONDS = 6.0
ANSWER_SECONDS = 8.0
MEGABYTES = 4


@pytest.mark.timeout(60)
@pytest.mark.parametrize("case", WORST_CASES)
def test_the_worst_event_of_its_kind_comes_to_its_end_in_time(case: str) -> None:
    record = WORST_CASES[case]()
    assert len(record.value or b"") <= 1_000_000
    began = time.thread_time()

    judge_record(record)

    assert time.thread_time() - began < EVENT_SECONDS


def _filled(entry: bytes, before: bytes, after: bytes) -> bytes:
    return before + b",".join([entry] * (MEGABYTES * 1_000_000 // (len(entry) + 1))) + after


RESPONSE = orjson.dumps({"message": "no", "itemTransferRequest": {"source": {}, "destination": {}}})
ANSWERS: dict[str, Callable[[], bytes]] = {
    "empty errors": lambda: _filled(b"{}", b'{"metrics":{},"errors":[', b"]}"),
    "errors": lambda: _filled(b'{"message":"x","statusCode":422}', b'{"metrics":{},"errors":[', b"]}"),
    "metrics": lambda: (
        b'{"metrics":{"INSTANCE":{' + b",".join(b'"%d":{"SKIPPED":1}' % n for n in range(150_000)) + b"}}}"
    ),
    "sources": lambda: _filled(b'{"id":"a","name":"b"}', b'{"holdingsRecordsSources":[', b"]}"),
    "coverages": lambda: _filled(
        b'{"beginCoverage":"2000-01-01"}', b'{"data":{"attributes":{"isSelected":true,"customCoverages":[', b"]}}}"
    ),
    "responses": lambda: _filled(RESPONSE, b'{"message":"","itemTransferResponses":[', b"]}"),
    "half tokens": lambda: b"eyJ-" * 1_000_000,
    "half signatures": lambda: b"x-amz-" * 700_000,
    "lists": lambda: _filled(b"[]", b"[", b"]"),
    "a number": lambda: b"9" * 4_000_000,
    "depth": lambda: b"[" * 4_000_000,
    "depth that can be read": lambda: b"[" * 1000 + b"]" * 1000,
}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("body", ANSWERS)
@pytest.mark.parametrize("status", [200, 422, 500])
async def test_an_answer_of_megabytes_is_read_in_time(body: str, status: int) -> None:
    script = (NearAnswer(None, status, ((b"Content-Type", b"application/json"),), ANSWERS[body]()),)
    for step in _one_of_each_system(STEPS):
        began = time.thread_time()

        answer = await attempt_at(Attempt(step, False, 2, False, script))

        assert time.thread_time() - began < ANSWER_SECONDS, step
        assert isinstance(answer, Settled | Stumbled | Pending)


def _one_of_each_system(steps: Iterable[Step]) -> list[Step]:
    return list({system_of(step): step for step in steps}.values())


@pytest.mark.timeout(60)
async def test_the_answer_to_a_transfer_of_thousands_is_matched_in_time() -> None:
    transfer = item_transfer(*(str(number) for number in range(4000)))
    requests = [{"source": dict(e.source), "destination": dict(e.destination)} for e in reversed(transfer.items)]
    responses = [{"message": "Successfully relinked", "itemTransferRequest": request} for request in requests]
    body = orjson.dumps({"message": "", "holdingTransferResponses": None, "itemTransferResponses": responses})
    began = time.thread_time()

    answer = await attempt_at(Attempt(transfer, False, 1, False, (NearAnswer(body=body),)))

    assert time.thread_time() - began < ANSWER_SECONDS
    assert isinstance(answer, Settled)
