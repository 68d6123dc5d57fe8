"""What every adapter makes of every kind of answer: one suite over all that a system can be asked, through a transport
without a socket and over a real one.

The simulated systems stand in for the real ones, with one call disturbed: the one whose answer decides the step.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from email.utils import formatdate
from typing import Any

import pytest

from bench.candidates.port import Making
from service.domain.answers import Answer, Denial, Denied, Finding, Pending, Settled, Stumbled, Verdict
from service.domain.codes import Code
from service.engine.ports import CallContext, Journal, MayLeave, OwnershipLost, freely
from service.sandbox.exchange import JsonValue
from service.sandbox.faults import Fault
from tests.contract.cases import CASES, Case, seed
from tests.contract.worlds import API_KEY, PASSWORD, SECONDS, World, over_sockets, without_socket

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
REFUSAL: JsonValue = {"errors": [{"title": "Not like this", "detail": "the system says why"}]}
NOT_FOUND_IS_NOT_FINAL = {
    "eholdings deselect": "a custom title is gone once it is deselected, so the resource is read: it is still there",
    "inventory delete": "a look-up that failed answers 404 too",
    "inventory delete-shared": "a look-up that failed answers 404 too",
    "holdings-sources change": "it was there at the look-up",
    "holdings-sources delete": "that is what was wanted",
}
READ_BACK = ("eholdings update", "eholdings deselect", "eholdings add")
"""What an unreadable answer does not keep from knowing: the resource is read again."""

pytestmark = pytest.mark.timeout(30)


@pytest.fixture(params=["without-socket", "over-sockets"])
async def world(request: pytest.FixtureRequest, making: Making) -> AsyncIterator[World]:
    async with over_sockets(making) if request.param == "over-sockets" else without_socket() as found:
        found.sandbox.load(seed())
        yield found


def case_id(case: Case) -> str:
    return case.name.replace(" ", "-")


@pytest.fixture(params=CASES, ids=case_id)
async def case(request: pytest.FixtureRequest, world: World) -> Case:
    found: Case = request.param
    for step in found.needs:
        assert verdict_of(await world.systems.attempt(step, context())) is Verdict.SUCCEEDED
    world.sandbox.ledger.clear()
    return found


def context(*, uncertain: bool = False, journal: Journal | None = None) -> CallContext:
    async def mark() -> None:
        pass

    return CallContext(TRACEPARENT, uncertain, mark, 1 + uncertain, journal=journal)


def disturb(world: World, case: Case, **fault: Any) -> None:
    """Disturbs every call that decides the case, unless `times` says how many."""
    where: dict[str, Any] = {"system": case.system, "method": case.method, "path_contains": case.path_contains}
    world.sandbox.faults.add(Fault(**where, **fault))


async def attempt(world: World, case: Case, *, uncertain: bool = False, may_leave: MayLeave = freely) -> Answer:
    """One attempt, and what follows at once where nothing is decided yet and nothing went wrong."""
    about = context(uncertain=uncertain, journal=world.journal)._replace(may_leave=may_leave)
    answer = await world.systems.attempt(case.step, about)
    while isinstance(answer, Pending):
        answer = await world.systems.attempt(answer.remaining, about)
    return answer


def finding_of(answer: Answer) -> Finding:
    assert isinstance(answer, Settled), answer
    [finding] = answer.findings
    return finding


def verdict_of(answer: Answer) -> Verdict:
    return finding_of(answer).verdict


async def test_a_success_is_told_with_the_systems_status(world: World, case: Case) -> None:
    finding = finding_of(await attempt(world, case))

    assert (finding.verdict, finding.status, finding.code) == (Verdict.SUCCEEDED, case.success_status, None)


async def test_every_call_carries_the_trace_on(world: World, case: Case) -> None:
    await attempt(world, case)

    assert {entry.call.header("traceparent") for entry in world.sandbox.ledger.entries()} == {TRACEPARENT}


@pytest.mark.parametrize("allowed", range(6))
async def test_no_further_request_leaves_once_the_partition_has_been_lost(
    world: World, case: Case, allowed: int
) -> None:
    left = 0

    async def may_leave() -> None:
        nonlocal left
        if left == allowed:
            raise OwnershipLost("lost")
        left += 1

    try:
        answer = await attempt(world, case, may_leave=may_leave)
    except OwnershipLost:
        assert left == allowed
    else:
        assert verdict_of(answer) is Verdict.SUCCEEDED, "it took no more requests than it was allowed"
    assert len([entry for entry in world.sandbox.ledger if entry.system != "login"]) == left


@pytest.mark.parametrize("status", [400, 405, 413, 422])
async def test_a_final_refusal_ends_the_step_with_the_systems_own_words(world: World, case: Case, status: int) -> None:
    disturb(world, case, status=status, body=REFUSAL)

    finding = finding_of(await attempt(world, case))

    assert (finding.verdict, finding.code, finding.status) == (Verdict.FAILED, Code.REFUSED, status)
    assert finding.message == "Not like this: the system says why"


async def test_a_404_is_final_but_where_the_system_means_something_else_by_it(world: World, case: Case) -> None:
    disturb(world, case, status=404, body=REFUSAL)

    answer = await attempt(world, case)

    if case.name == "holdings-sources delete":
        assert verdict_of(answer) is Verdict.UNCHANGED
    elif case.name in NOT_FOUND_IS_NOT_FINAL:
        assert isinstance(answer, Stumbled), NOT_FOUND_IS_NOT_FINAL[case.name]
    else:
        finding = finding_of(answer)
        assert (finding.code, finding.status) == (Code.REFUSED, 404)


async def test_a_refusal_as_plain_text_is_told_in_its_own_words(world: World, case: Case) -> None:
    disturb(world, case, status=400, body="Bad Request:\n  the body\n  is wrong")

    assert finding_of(await attempt(world, case)).message == "Bad Request: the body is wrong"


async def test_a_conflict_is_worth_another_attempt(world: World, case: Case) -> None:
    disturb(world, case, status=409, body=REFUSAL)

    answer = await attempt(world, case)

    assert isinstance(answer, Stumbled)
    assert (answer.status, answer.remaining, answer.findings) == (409, case.step, (None,))


async def test_retry_after_in_seconds_is_heeded(world: World, case: Case) -> None:
    disturb(world, case, status=429, body="slow down", headers=(("Retry-After", "7"),))

    answer = await attempt(world, case)

    assert isinstance(answer, Denied if case.system == "holdingsiq" else Stumbled)
    assert (answer.status, answer.retry_after_seconds, answer.message) == (429, 7.0, "slow down")


async def test_retry_after_as_a_date_is_heeded(world: World, case: Case) -> None:
    disturb(world, case, status=429, headers=(("Retry-After", formatdate(time.time() + 100, usegmt=True)),))

    answer = await attempt(world, case)

    assert isinstance(answer, Denied if case.system == "holdingsiq" else Stumbled)
    assert answer.retry_after_seconds == pytest.approx(100, abs=10)


async def test_a_429_without_retry_after_is_a_spent_quota_where_there_is_one(world: World, case: Case) -> None:
    disturb(world, case, status=429, body={"errors": [{"title": "Limit Exceeded"}]})

    answer = await attempt(world, case)

    if case.system in ("eholdings", "holdingsiq"):
        assert isinstance(answer, Denied)
        assert (answer.reason, answer.message) == (Denial.QUOTA, "Limit Exceeded")
    else:
        assert isinstance(answer, Stumbled)
    assert (answer.status, answer.retry_after_seconds, answer.remaining) == (429, None, case.step)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_stumble_of_the_system_leaves_open_whether_it_was_applied(
    world: World, case: Case, status: int
) -> None:
    disturb(world, case, status=status, body=REFUSAL)

    answer = await attempt(world, case)

    assert isinstance(answer, Stumbled)
    assert (answer.status, answer.uncertain, answer.remaining) == (status, True, case.step)
    assert answer.message == "Not like this: the system says why"


async def test_a_redirect_is_not_followed(world: World, case: Case) -> None:
    disturb(world, case, status=302, headers=(("Location", "/folio/elsewhere"),))

    answer = await attempt(world, case)

    assert isinstance(answer, Stumbled)
    assert answer.status == 302


async def test_no_answer_in_time_leaves_open_whether_it_was_applied(world: World, case: Case) -> None:
    disturb(world, case, delay_seconds=20 * SECONDS)

    answer = await attempt(world, case)

    assert isinstance(answer, Stumbled)
    assert (answer.status, answer.uncertain) == (None, True)
    assert answer.message == f"{case.system}: no answer within {SECONDS} s"


async def test_a_refused_connection_is_known_not_to_have_been_applied(world: World, case: Case) -> None:
    answer = await world.unreachable.attempt(case.step, context(journal=world.journal))

    assert isinstance(answer, Stumbled)
    assert (answer.status, answer.uncertain, answer.remaining) == (None, False, case.step)
    assert "no connection" in answer.message


@pytest.mark.parametrize("case", [case for case in CASES if case.has_body], indirect=True, ids=case_id)
@pytest.mark.parametrize(
    "garbage", [{"body": "<html>welcome</html>", "content_type": "text/html"}, {"truncate_bytes": 20}, {"body": []}]
)
async def test_a_success_that_cannot_be_read_proves_nothing(world: World, case: Case, garbage: dict[str, Any]) -> None:
    disturb(world, case, stage="after", **garbage)

    answer = await attempt(world, case)

    if case.name in READ_BACK:
        assert verdict_of(answer) is Verdict.SUCCEEDED
    else:
        assert isinstance(answer, Stumbled)
        assert (answer.status, answer.uncertain) == (case.decided_status, True)


@pytest.mark.parametrize("system", ["eholdings", "holdings-sources"])
async def test_a_state_that_cannot_be_read_is_never_built_upon(world: World, system: str) -> None:
    world.sandbox.faults.add(Fault(system=system, method="GET", body={"data": "?"}))

    for case in CASES:
        if case.system == system and case.method != "DELETE" and case.name != "eholdings add":
            answer = await attempt(world, case)
            assert isinstance(answer, Stumbled)
            assert not answer.uncertain
    assert set(world.calls(system)) == {"GET"}


async def test_a_right_body_counts_under_a_wrong_content_type(world: World, case: Case) -> None:
    disturb(world, case, stage="after", content_type="text/plain")

    assert verdict_of(await attempt(world, case)) is Verdict.SUCCEEDED


@pytest.mark.parametrize("lost", ["before", "after"])
async def test_after_a_lost_answer_the_next_attempt_finds_out(world: World, case: Case, lost: str) -> None:
    disturb(world, case, drop=lost, times=1)

    first = await attempt(world, case)

    assert isinstance(first, Stumbled)
    assert (first.status, first.uncertain, first.remaining) == (None, True, case.step)
    assert world.deciding_calls(case) == 1, "a call that may have been received was repeated unseen"

    assert verdict_of(await attempt(world, case, uncertain=True)) is Verdict.SUCCEEDED


async def test_a_transfer_whose_answer_was_lost_is_applied_once(world: World) -> None:
    transfer = CASES[-1]
    disturb(world, transfer, drop="after", times=1)

    await attempt(world, transfer)
    finding = finding_of(await attempt(world, transfer, uncertain=True))

    assert finding.message == (
        "applied by an earlier attempt whose answer was lost (now: Source item is not under source holding)"
    )


async def test_an_export_whose_answer_was_lost_is_made_once(world: World) -> None:
    export = next(case for case in CASES if case.system == "holdingsiq")
    disturb(world, export, drop="after", times=1)

    await attempt(world, export)
    assert verdict_of(await attempt(world, export, uncertain=True)) is Verdict.SUCCEEDED

    assert world.calls("holdingsiq").count("POST") == 1
    assert world.journal.rows == 25


async def test_a_token_refused_once_is_replaced_by_one_login_and_the_call_repeated(world: World, case: Case) -> None:
    disturb(world, case, status=401, body="Invalid token", times=1)

    answer = await attempt(world, case)

    if case.has_key:
        assert isinstance(answer, Denied)
    else:
        assert verdict_of(answer) is Verdict.SUCCEEDED
        assert len(world.calls("login")) == 1 + (not case.needs)


async def test_credentials_refused_for_good_deny_the_system(world: World, case: Case) -> None:
    disturb(world, case, status=401, body="Invalid token")

    answer = await attempt(world, case)

    assert isinstance(answer, Denied)
    assert (answer.reason, answer.status, answer.remaining) == (Denial.CREDENTIALS, 401, case.step)
    assert world.deciding_calls(case) == (1 if case.has_key else 2)


async def test_a_missing_permission_denies_the_system(world: World, case: Case) -> None:
    disturb(
        world, case, status=403, body="Access for user 'relay' (1) requires permission: kb-ebsco.resources.item.put"
    )

    answer = await attempt(world, case)

    assert isinstance(answer, Denied)
    assert (answer.reason, answer.status) == (Denial.CREDENTIALS, 403)
    assert "requires permission" in answer.message
    assert world.deciding_calls(case) == 1


async def test_no_secret_reaches_a_message(world: World, case: Case) -> None:
    disturb(world, case, status=400, body=f"api_key: {API_KEY} password={PASSWORD} X-Okapi-Token: eyJhbGciOi.J9.sig")

    message = str(finding_of(await attempt(world, case)).message)

    assert not any(secret in message for secret in (API_KEY, PASSWORD, "eyJ"))


async def test_a_login_that_stumbles_leaves_the_call_unsent(world: World) -> None:
    world.sandbox.faults.add(Fault(system="login", status=503, body="login is down"))
    for case in CASES:
        if not case.has_key:
            answer = await attempt(world, case)
            assert isinstance(answer, Stumbled)
            assert (answer.status, answer.uncertain, answer.message) == (503, False, "login: login is down")
    assert {entry.system for entry in world.sandbox.ledger.entries()} == {"login"}


async def test_a_refused_login_denies_the_tenant_without_trying_on(world: World) -> None:
    body: JsonValue = {"errors": [{"message": "wrong", "code": "wrong.username.or.wrong.password.or.account.blocked"}]}
    world.sandbox.faults.add(Fault(system="login", status=422, body=body))

    for case in CASES:
        if not case.has_key:
            answer = await attempt(world, case)
            assert isinstance(answer, Denied)
            assert (answer.reason, answer.status) == (Denial.CREDENTIALS, 422)
    assert len(world.calls("login")) == 1
