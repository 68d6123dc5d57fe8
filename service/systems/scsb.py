"""ReCAP SCSB: moves holdings and items between bibs (POST /sharedCollection/transferHoldingsAndItems).

Owns the calls of a transfer and what becomes of each entry. A transfer must not happen twice: every call waits for the
mark, leaves on a fresh connection, and is never repeated here. What a message means is in `scsb_answers`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import orjson

from service.domain.answers import Answer, Finding, Settled, failed
from service.domain.codes import Code
from service.domain.operations import Transfer
from service.engine.ports import CallContext
from service.systems.http import Headers, HttpClient, Reply
from service.systems.scsb_answers import UNKNOWN, EntryAnswer, answers_of, request_body
from service.systems.trouble import Trouble, mapping_of, trouble_of, unreadable

_PATH: Final = "/sharedCollection/transferHoldingsAndItems"
_STILL_UNKNOWN: Final = "SCSB does not tell whether this was applied (Relinked Failed, or no answer for the entry)"


def scsb_headers(api_key: str) -> Headers:
    """Headers of every call. The key's header is called `api_key`, underscore and all."""
    return (("api_key", api_key), ("Content-Type", "application/json"), ("Accept", "application/json"))


@dataclass(slots=True)
class _Course:
    """What is known of a transfer's entries, in the order of `transfer.entries`."""

    transfer: Transfer
    findings: list[Finding | None] = field(init=False)

    def __post_init__(self) -> None:
        self.findings = [None] * len(self.transfer.entries)

    def learn(self, places: Sequence[int], answers: Sequence[EntryAnswer]) -> None:
        for place, answer in zip(places, answers, strict=True):
            if answer is not UNKNOWN:
                self.findings[place] = answer

    def remaining(self) -> Transfer:
        boundary = len(self.transfer.holdings)
        still = [entry for entry, known in zip(self.transfer.entries, self.findings, strict=True) if known is None]
        holdings = sum(known is None for known in self.findings[:boundary])
        return replace(self.transfer, holdings=tuple(still[:holdings]), items=tuple(still[holdings:]))


class Scsb:
    """The adapter."""

    def __init__(self, http: HttpClient, read_seconds: float) -> None:
        """`http` carries `scsb_headers`."""
        self._http = http
        self._read_seconds = read_seconds

    async def attempt(self, step: Transfer, context: CallContext) -> Answer:
        """One attempt: one call for all entries, or one for each when an earlier attempt may have been applied,
        holdings before items, so that each entry's answer stands by itself.

        Raises only `OwnershipLost`.
        """
        course = _Course(step)
        for places, part in _parts(step, context):
            answers = await self._ask(part, context)
            if isinstance(answers, Trouble):
                trouble = replace(answers, uncertain=answers.uncertain or context.uncertain)
                return trouble.answer(course.remaining(), course.findings)
            course.learn(places, answers)
        if None in course.findings:
            return Trouble(_STILL_UNKNOWN, 200, uncertain=True).answer(course.remaining(), course.findings)
        return Settled(tuple(finding for finding in course.findings if finding is not None))

    async def ask_for_nothing(self) -> Finding | Trouble | None:
        """A call with the key that moves nothing; None when it was taken, else what is wrong.

        SCSB has no read that its key opens. A transfer without institution and entries is answered by "Institution is
        empty" before anything is looked at; the key is checked before that.
        """
        nothing = {"institution": "", "holdingTransfers": [], "itemTransfers": []}
        result = await self._http.send(
            "check", "POST", _PATH, body=orjson.dumps(nothing), read_seconds=self._read_seconds
        )
        trouble = trouble_of(result, changes=False)
        if trouble is not None or not isinstance(result, Reply):
            return trouble or Trouble("scsb: no answer")
        if result.status >= 400:
            return failed(Code.REFUSED, result.status, result.words)
        return None if mapping_of(result) is not None else unreadable(result, self._http.system, changes=False)

    async def _ask(self, transfer: Transfer, context: CallContext) -> tuple[EntryAnswer, ...] | Trouble:
        await context.mark()
        result = await self._http.send(
            "transfer",
            "POST",
            _PATH,
            body=orjson.dumps(request_body(transfer)),
            read_seconds=self._read_seconds,
            traceparent=context.traceparent,
            fresh_connection=True,
            may_leave=context.may_leave,
        )
        trouble = trouble_of(result, changes=True)
        if trouble is not None or not isinstance(result, Reply):
            return trouble or Trouble("scsb: no answer", uncertain=True)
        if result.status >= 400:
            return (failed(Code.REFUSED, result.status, result.words),) * len(transfer.entries)
        answers = answers_of(transfer, result.json(), uncertain=context.uncertain)
        return unreadable(result, self._http.system, changes=True) if answers is None else answers


def _parts(transfer: Transfer, context: CallContext) -> Iterator[tuple[Sequence[int], Transfer]]:
    """The calls to make, each with the places of its entries."""
    if not context.uncertain:
        yield range(len(transfer.entries)), transfer
        return
    for place, entry in enumerate(transfer.entries):
        if place < len(transfer.holdings):
            yield (place,), replace(transfer, holdings=(entry,), items=())
        else:
            yield (place,), replace(transfer, holdings=(), items=(entry,))
