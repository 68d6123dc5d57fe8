"""The systems' adapters, each called with one step and answered by a script."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import httpx
from hypothesis import strategies as st

from service.domain.answers import Answer, Finding
from service.domain.operations import ExportHoldings, Step, UpsertRecordSet, UpsertSharedRecordSet, system_of
from service.domain.outcomes import OperationOutcome
from service.engine.ports import CallContext
from service.systems.holdings_sources import Absent
from service.systems.http import Clocks, HttpClient, NotSent
from service.systems.registry import ConfiguredSystems, SystemsConfig
from service.systems.tokens import StaticToken, TenantTokens, Token, UserPassword
from service.systems.trouble import CredentialsRefused, Trouble
from tests.builders import inventory, outcomes
from tests.contract.cases import CASES, TENANT, item_transfer
from tests.fakes.journal import FakeJournal
from tests.fuzz.judging import judge_answer, judge_outcome
from tests.fuzz.near_answers import NearAnswer, scripts

_NAMED: Final = inventory.record_set("in1", inventory.holdings("ho1", sourceId=..., sourceName="Mine"))
_MORE_STEPS: Final[tuple[Step, ...]] = (
    UpsertRecordSet(TENANT, "in1", _NAMED, frozenset({"Mine"})),
    UpsertSharedRecordSet(TENANT, "i/l1", _NAMED, frozenset({"Mine"})),
    item_transfer("i1", "i2", "i3"),
    ExportHoldings("c1", "KBART2", "CSV", None),
    ExportHoldings("c1", "STANDARD", "CSV", "x1"),
    ExportHoldings("c1", None, "CSV", "x1"),
)
STEPS: Final = tuple(case.step for case in CASES) + _MORE_STEPS

Script: TypeAlias = tuple[NearAnswer, ...]


@dataclass(frozen=True, slots=True)
class Attempt:
    """A step, how it is attempted, and what its calls are answered."""

    step: Step
    uncertain: bool
    attempt: int
    create_missing: bool
    script: Script


def attempts(system: str) -> st.SearchStrategy[Attempt]:
    """Attempts at every step that a system can be asked."""
    steps = [step for step in STEPS if system_of(step) == system]
    return st.builds(
        Attempt, st.sampled_from(steps), st.booleans(), st.sampled_from((1, 2)), st.booleans(), scripts(system)
    )


async def judge_attempt(attempt: Attempt) -> str:
    """One attempt, and the outcome that a record would end in if that were the last word."""
    answer = await attempt_at(attempt)
    known = [finding for finding in answer.findings if finding is not None]
    if known:
        judge_outcome(outcomes.outcome(*(OperationOutcome(outcomes.UPDATE, finding) for finding in known)))
    return judge_answer(attempt.step, answer)


async def attempt_at(attempt: Attempt) -> Answer:
    """What the adapters make of it."""
    config = SystemsConfig(
        folio_url="http://folio",
        tenants={TENANT: StaticToken("secret")},
        scsb_url="http://scsb",
        scsb_api_key="secret",
        holdingsiq_url="http://holdingsiq",
        holdingsiq_api_key="secret",
        create_missing_sources=attempt.create_missing,
    )
    systems = ConfiguredSystems(config, answering(attempt.script))
    try:
        journal = FakeJournal() if isinstance(attempt.step, ExportHoldings) else None
        context = CallContext(None, attempt.uncertain, _mark, attempt.attempt, journal=journal)
        return await systems.attempt(attempt.step, context)
    finally:
        await systems.aclose()


async def judge_login(script: Script) -> str:
    """What becomes of a login; a token that it gives can be sent."""
    http = HttpClient("login", "http://folio", answering(script))
    credentials = {TENANT: UserPassword("relay", "secret")}
    tokens = TenantTokens(http, credentials, login_seconds=1.0, clocks=Clocks())
    try:
        found = await tokens.token(TENANT, None)
    finally:
        await tokens.aclose()
    if isinstance(found, Token):
        assert found.renew_at <= found.expires_at
        httpx.Request("GET", "http://folio", headers=[("X-Okapi-Token", found.value)])
        return "a token"
    assert isinstance(found, NotSent | CredentialsRefused)
    assert "secret" not in found.message
    return "not sent" if isinstance(found, NotSent) else "refused"


async def judge_resolution(given: tuple[bool, Script]) -> str:
    """What becomes of a holdings source's name."""
    create_missing, script = given
    config = SystemsConfig(
        folio_url="http://folio", tenants={TENANT: StaticToken("t")}, create_missing_sources=create_missing
    )
    systems = ConfiguredSystems(config, answering(script))
    assert systems.holdings_sources is not None
    try:
        found = await systems.holdings_sources.resolve(TENANT, "Mine", None)
    finally:
        await systems.aclose()
    assert isinstance(found, str | Absent | Finding | Trouble)
    assert found != ""
    return type(found).__name__.lower()


def answering(script: Script) -> httpx.MockTransport:
    """A transport that gives a script's answers in their order, and its last one from then on."""
    given = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal given
        given += 1
        assert given < 50, "an attempt makes call after call"
        return script[min(given, len(script)) - 1]()

    return httpx.MockTransport(answer)


async def _mark() -> None:
    """Nothing to store here."""
