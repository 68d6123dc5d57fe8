"""Transfers: the mark before every call, each entry's fate, and what is left to ask after a stumble."""

from __future__ import annotations

import httpx
import pytest

from service.domain.answers import Denied, Finding, Settled, Stumbled, Verdict
from service.domain.codes import Code
from service.domain.operations import Transfer
from service.engine.ports import CallContext, OwnershipLost
from service.systems.http import HttpClient
from service.systems.scsb import Scsb, scsb_headers
from service.systems.scsb_answers import BROKE_OFF, SUCCESS
from tests.unit.systems.scripted import Scripted, ScriptedTransport, answer, context
from tests.unit.systems.test_scsb_answers import body, holdings_entry, item_entry, response, transfer

NOT_UNDER = "Source item is not under source holding"


def adapter(*answers: Scripted) -> tuple[Scsb, ScriptedTransport]:
    transport = ScriptedTransport(*answers)
    http = HttpClient("scsb", "http://scsb.example/", transport, headers=scsb_headers("the-key"))
    return Scsb(http, 60.0), transport


def items_answer(**messages: str) -> httpx.Response:
    """What SCSB answers of these items."""
    return answer(200, body(*(response(message, item_entry(name)) for name, message in messages.items())))


def holdings_answer(name: str, message: str) -> httpx.Response:
    told = response(message, holdings_entry(name), "holdingsTransferRequest")
    return answer(200, {"message": "?", "holdingTransferResponses": [told], "itemTransferResponses": []})


def verdicts(findings: tuple[Finding | None, ...]) -> list[Verdict | None]:
    return [finding.verdict if finding else None for finding in findings]


async def test_a_transfer_is_one_call_with_the_key_in_a_header_called_api_key() -> None:
    scsb, transport = adapter(items_answer(a=SUCCESS, b=SUCCESS))

    result = await scsb.attempt(transfer(items="a b"), context())

    assert isinstance(result, Settled)
    assert verdicts(result.findings) == [Verdict.SUCCEEDED] * 2
    assert transport.calls == ["POST /sharedCollection/transferHoldingsAndItems"]
    raw = dict(transport.requests[0].headers.raw)
    assert raw[b"api_key"] == b"the-key"
    assert raw[b"Content-Type"] == b"application/json"


async def test_every_call_leaves_marked_and_on_a_fresh_connection() -> None:
    marks: list[str] = []

    def marked(request: httpx.Request) -> httpx.Response:
        assert len(marks) == len(transport.requests)
        return items_answer(a=SUCCESS, b=SUCCESS)

    scsb, transport = adapter(marked, marked)
    await scsb.attempt(transfer(items="a b"), context(marks=marks, uncertain=True))

    assert marks == ["mark", "mark"]
    assert transport.fresh == [True, True]


async def test_a_call_that_may_not_be_marked_is_not_made() -> None:
    async def lost() -> None:
        raise OwnershipLost

    scsb, transport = adapter()
    with pytest.raises(OwnershipLost):
        await scsb.attempt(transfer(items="a"), CallContext(None, False, lost))

    assert transport.calls == []


async def test_after_an_uncertain_attempt_each_entry_is_asked_by_itself_holdings_first() -> None:
    scsb, transport = adapter(
        holdings_answer("h1", "Source holdings is not under source bib"),
        items_answer(a=NOT_UNDER),
        items_answer(b=SUCCESS),
        items_answer(c="Source bib does not exist"),
    )

    result = await scsb.attempt(transfer("h1", "a b c"), context(uncertain=True))

    assert isinstance(result, Settled)
    assert verdicts(result.findings) == [Verdict.SUCCEEDED, Verdict.SUCCEEDED, Verdict.SUCCEEDED, Verdict.FAILED]
    assert list(transport.body(0)) == ["institution", "holdingTransfers"]
    assert [len(transport.body(place)["itemTransfers"]) for place in (1, 2, 3)] == [1, 1, 1]


async def test_what_is_not_under_its_source_without_a_lost_attempt_is_refused() -> None:
    scsb, _ = adapter(items_answer(a=NOT_UNDER))

    result = await scsb.attempt(transfer(items="a"), context())

    assert isinstance(result, Settled)
    [finding] = result.findings
    assert (finding.code, finding.message) == (Code.REFUSED, NOT_UNDER)


async def test_only_what_is_undecided_is_left_to_ask() -> None:
    scsb, _ = adapter(items_answer(a=SUCCESS, b=BROKE_OFF, c="Source bib does not exist"))

    result = await scsb.attempt(transfer(items="a b c"), context())

    assert isinstance(result, Stumbled)
    assert result.uncertain
    assert result.remaining == transfer(items="b")
    assert verdicts(result.findings) == [Verdict.SUCCEEDED, None, Verdict.FAILED]


async def test_holdings_and_items_that_are_left_stay_apart() -> None:
    scsb, _ = adapter(
        holdings_answer("h1", SUCCESS), holdings_answer("h2", BROKE_OFF), items_answer(a=SUCCESS), answer(503, "down")
    )

    result = await scsb.attempt(transfer("h1 h2", "a b c"), context(uncertain=True))

    assert isinstance(result, Stumbled)
    assert result.remaining == transfer("h2", "b c")
    assert verdicts(result.findings) == [Verdict.SUCCEEDED, None, Verdict.SUCCEEDED, None, None]


@pytest.mark.parametrize(
    ("scripted", "status"),
    [
        (answer(503, "Internal error occurred during transfer"), 503),
        (answer(500, "broken"), 500),
        (answer(504, ""), 504),
        (answer(200, "<html>"), 200),
        (answer(200, ""), 200),
        (answer(200, []), 200),
        (answer(302, ""), 302),
        (httpx.ReadTimeout("late"), None),
        (httpx.RemoteProtocolError("gone"), None),
    ],
)
async def test_what_may_have_been_applied_is_uncertain(scripted: Scripted, status: int | None) -> None:
    scsb, transport = adapter(scripted)

    result = await scsb.attempt(transfer(items="a"), context())

    assert isinstance(result, Stumbled)
    assert (result.status, result.uncertain, result.remaining) == (status, True, transfer(items="a"))
    assert len(transport.calls) == 1


@pytest.mark.parametrize("scripted", [httpx.ConnectError("refused"), httpx.ConnectTimeout("late")])
async def test_what_never_left_is_only_as_uncertain_as_before(scripted: Exception) -> None:
    for uncertain in (False, True):
        scsb, _ = adapter(scripted)
        result = await scsb.attempt(transfer(items="a"), context(uncertain=uncertain))
        assert isinstance(result, Stumbled)
        assert result.uncertain is uncertain


async def test_too_many_requests_are_worth_another_attempt_when_scsb_says() -> None:
    scsb, _ = adapter(answer(429, "slow down", {"Retry-After": "9"}))

    result = await scsb.attempt(transfer(items="a"), context())

    assert isinstance(result, Stumbled)
    assert (result.retry_after_seconds, result.uncertain) == (9.0, False)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_denies_the_system_without_telling_it(status: int) -> None:
    scsb, _ = adapter(answer(status, "Authentication Failed\n"))

    result = await scsb.attempt(transfer(items="a"), context())

    assert isinstance(result, Denied)
    assert (result.status, result.message, result.remaining) == (status, "Authentication Failed", transfer(items="a"))


@pytest.mark.parametrize("status", [400, 404, 413, 422])
async def test_a_request_that_is_refused_whole_refuses_every_entry(status: int) -> None:
    scsb, _ = adapter(answer(status, {"status": status, "error": "Bad Request"}))

    result = await scsb.attempt(transfer("h1", "a b"), context())

    assert isinstance(result, Settled)
    assert {(finding.code, finding.status, finding.message) for finding in result.findings} == {
        (Code.REFUSED, status, "Bad Request")
    }


async def test_ids_stay_as_they_are() -> None:
    entry = item_entry(".i0012", owningInstitutionBibId=".b007")
    scsb, transport = adapter(answer(200, body(response(SUCCESS, entry))))

    await scsb.attempt(Transfer("NYPL", (), (entry,)), context())

    assert transport.body(0)["itemTransfers"][0]["source"] == {
        "owningInstitutionBibId": ".b007",
        "owningInstitutionHoldingsId": "h1",
        "owningInstitutionItemId": ".i0012",
    }
