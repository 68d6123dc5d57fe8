"""An export from the POST to the last look: notes, names, pauses, and what becomes of every answer."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from service.domain.answers import Denial, Denied, Pending, Stumbled, Verdict
from service.domain.codes import Code
from service.domain.operations import ExportHoldings, asked_of
from service.engine.ports import CallContext, OwnershipLost
from service.systems.export_note import ExportNote
from service.systems.holdingsiq import CLOCK_SECONDS, SHORTEST_SHARE, ExportPolicy
from tests.builders.exports import EXPORT_ID, kbart2, lines, record
from tests.fakes.journal import FakeJournal
from tests.unit.systems.exporting import (
    API_KEY,
    EXISTING,
    FILE,
    GET,
    LIST,
    NEW,
    POST,
    created,
    expired,
    file,
    shown,
    subject,
)
from tests.unit.systems.scripted import answer

ASKED_AT = 1_000_000


def kept(note: str) -> FakeJournal:
    journal = FakeJournal()
    journal.note = note
    return journal


async def test_a_new_export_is_asked_for_waited_for_and_fetched() -> None:
    relay = subject(created(), shown("QUEUED"), shown("IN_PROGRESS"), shown(), file(kbart2(*lines(3))))

    finding = await relay.settle(NEW)

    assert relay.calls == [POST, GET, GET, GET, FILE]
    assert relay.transport.body(0) == {"type": "KBART2", "format": "csv"}
    assert (finding.verdict, finding.status, finding.message) == (Verdict.SUCCEEDED, 200, None)
    assert finding.export is not None
    assert (finding.export.rows, finding.export.broken, finding.export.agrees) == (3, 0, None)
    assert [row.key for row in relay.journal.published] == ["19-23-1000", "19-23-1001", "19-23-1002"]


async def test_an_export_that_exists_is_fetched_without_a_post_or_a_note() -> None:
    relay = subject(shown(), file(kbart2(*lines(1))))

    await relay.settle(EXISTING)

    assert relay.calls == [GET, FILE]
    assert relay.journal.notes == []


async def test_every_call_of_the_api_has_the_key_and_the_download_has_not() -> None:
    relay = subject(created(), shown(), file(kbart2(*lines(1))))

    await relay.settle(NEW)

    post, get, download = relay.transport.requests
    assert (post.headers["x-api-key"], get.headers["x-api-key"]) == (API_KEY, API_KEY)
    assert "x-api-key" not in download.headers
    assert API_KEY not in str(download.headers.raw)
    assert {request.headers["traceparent"] for request in relay.transport.requests} == {"00-trace"}


async def test_the_customer_stays_in_its_place_in_the_path() -> None:
    relay = subject(answer(404, {}))

    await relay.settle(ExportHoldings("a/../b é", None, "CSV", "x?y"))

    assert relay.calls == ["GET /holdingsiq/rm/rmaccounts/a%2F..%2Fb%20%C3%A9/exports/x%3Fy"]


# The POST, which must not happen twice


async def test_a_note_is_kept_before_the_post_and_the_id_behind_it() -> None:
    def post(request: httpx.Request) -> httpx.Response:
        assert relay.journal.notes == [f"?{ASKED_AT}"]
        return created()

    relay = subject(post)

    result = await relay.attempt(NEW)

    assert relay.journal.notes == [f"?{ASKED_AT}", f"!{ASKED_AT} {EXPORT_ID}"]
    assert isinstance(result, Pending)
    assert (result.findings, result.pause_seconds) == ((None,), 0.0)
    assert asked_of(result.remaining)[0].target == EXPORT_ID
    assert relay.transport.fresh == [True]


async def test_without_a_note_nothing_is_asked_for() -> None:
    relay = subject()
    relay.journal.lose_after = 0

    with pytest.raises(OwnershipLost):
        await relay.attempt(NEW)

    assert relay.calls == []


async def test_the_next_life_goes_on_with_the_id_that_was_kept() -> None:
    relay = subject(shown(), file(kbart2(*lines(2))), journal=kept(f"!{ASKED_AT} {EXPORT_ID}"))

    named = await relay.attempt(NEW, uncertain=True)
    assert isinstance(named, Pending)
    assert asked_of(named.remaining)[0].target == EXPORT_ID
    assert relay.calls == []

    await relay.settle(NEW, uncertain=True)
    assert relay.calls == [GET, FILE]


def listed(*records: dict[str, Any], inside: bool = False) -> httpx.Response:
    return answer(200, {"exports": list(records)} if inside else list(records))


MINE = {"created": "1970-01-12T13:46:45.123456Z"}
"""Five seconds after ASKED_AT."""


@pytest.mark.parametrize("inside", [False, True])
async def test_after_a_lost_answer_the_newest_export_of_the_type_is_taken_up(inside: bool) -> None:
    others = [
        record("QUEUED", id="older", created="1970-01-12T13:46:40Z"),
        record("QUEUED", **MINE),
        record("QUEUED", id="another-type", type="STANDARD", created="1970-01-12T13:50:00Z"),
        record("FAILED", id="failed", created="1970-01-12T13:50:00Z"),
        record("QUEUED", id="timeless", created="yesterday"),
    ]
    relay = subject(listed(*others, inside=inside), journal=kept(f"?{ASKED_AT}"))

    result = await relay.attempt(NEW, uncertain=True)

    assert relay.calls == [LIST]
    assert isinstance(result, Pending)
    assert asked_of(result.remaining)[0].target == EXPORT_ID
    assert relay.journal.note == f"!{ASKED_AT} {EXPORT_ID}"


@pytest.mark.parametrize(("seconds_before", "is_mine"), [(CLOCK_SECONDS, True), (CLOCK_SECONDS + 1, False)])
async def test_clocks_may_differ_by_five_minutes(seconds_before: float, is_mine: bool) -> None:
    relay = subject(listed(record("COMPLETED", created="1970-01-12T13:46:40Z")), created("another"))
    relay.journal.note = f"?{int(ASKED_AT + seconds_before)}"

    await relay.attempt(NEW, uncertain=True)

    assert relay.calls == ([LIST] if is_mine else [LIST, POST])


async def test_when_none_matches_the_post_is_repeated_under_the_first_note() -> None:
    relay = subject(listed(), created(), journal=kept(f"?{ASKED_AT - 50}"))

    result = await relay.attempt(NEW, uncertain=True)

    assert relay.calls == [LIST, POST]
    assert isinstance(result, Pending)
    assert relay.journal.notes == [f"!{ASKED_AT - 50} {EXPORT_ID}"]


async def test_a_replayed_dead_letter_looks_for_its_export_before_it_asks_for_one() -> None:
    relay = subject(listed(record("QUEUED", created="1970-01-12T13:46:40Z")), shown("QUEUED"))

    named = await relay.attempt(NEW, uncertain=True, replayed_since=ASKED_AT)

    assert relay.calls == [LIST]
    assert isinstance(named, Pending)
    assert asked_of(named.remaining)[0].target == EXPORT_ID
    assert relay.journal.notes == [f"?{ASKED_AT}", f"!{int(relay.time.now)} {EXPORT_ID}"]


async def test_a_replayed_dead_letter_asks_for_an_export_when_none_was_made_since_it_came_in_first() -> None:
    older = record("COMPLETED", id="older", created="1970-01-12T13:00:00Z")
    relay = subject(listed(older), created())

    result = await relay.attempt(NEW, uncertain=True, replayed_since=ASKED_AT)

    assert relay.calls == [LIST, POST]
    assert isinstance(result, Pending)
    assert relay.journal.notes[0] == f"?{ASKED_AT}", "before the POST, so that its answer may be lost"


async def test_when_nothing_is_known_of_the_first_attempt_any_export_of_the_type_is_taken_up() -> None:
    relay = subject(listed(record("COMPLETED", created="1970-01-12T13:46:40Z")))

    await relay.attempt(NEW, uncertain=True, replayed_since=0.0)

    assert relay.calls == [LIST]


async def test_the_deadline_of_a_replayed_export_counts_from_the_replay() -> None:
    relay = subject(listed(), created(), shown("QUEUED"))
    since = relay.time.now - 1_000_000

    named = await relay.attempt(NEW, uncertain=True, replayed_since=since)
    assert isinstance(named, Pending)
    assert isinstance(named.remaining, ExportHoldings)
    waiting = await relay.attempt(named.remaining, uncertain=True, replayed_since=since)

    assert isinstance(waiting, Pending), "not given up at the first look"


async def test_a_post_that_certainly_was_not_received_is_repeated_without_a_list() -> None:
    relay = subject(httpx.ConnectError("refused"), created())

    first = await relay.attempt(NEW)
    assert isinstance(first, Stumbled)
    assert not first.uncertain
    await relay.attempt(NEW)

    assert relay.calls == [POST, POST]


@pytest.mark.parametrize(
    "lost",
    [httpx.ReadTimeout("?"), httpx.RemoteProtocolError("?"), answer(503, "?"), answer(202, "?"), answer(202, {})],
)
async def test_a_lost_answer_to_the_post_leaves_it_open_whether_there_is_an_export(lost: Any) -> None:
    relay = subject(lost)

    result = await relay.attempt(NEW)

    assert isinstance(result, Stumbled)
    assert (result.uncertain, result.remaining) == (True, NEW)


@pytest.mark.parametrize("content", ["?", {"message": "?"}, {"exports": {}}, None])
async def test_a_list_that_cannot_be_read_is_never_taken_for_an_empty_one(content: Any) -> None:
    relay = subject(answer(200, content), journal=kept(f"?{ASKED_AT}"))

    result = await relay.attempt(NEW, uncertain=True)

    assert isinstance(result, Stumbled)
    assert relay.calls == [LIST]


@pytest.mark.parametrize("export_id", [None, 7, "", "..", "x" * 500, "é" * 149])
async def test_an_answer_whose_id_is_of_no_use_is_no_answer(export_id: Any) -> None:
    relay = subject(answer(202, record("QUEUED", id=export_id)))

    assert isinstance(await relay.attempt(NEW), Stumbled)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("", ExportNote()),
        ("?12", ExportNote(12)),
        ("!12 a b", ExportNote(12, "a b")),
        ("!12 ", ExportNote(12)),
        ("?x", ExportNote()),
        ("!x a", ExportNote()),
        ("12", ExportNote()),
        ("#0a1b2c3d ?12", ExportNote(12, None, "0a1b2c3d")),
        ("#0a1b2c3d !12 a b", ExportNote(12, "a b", "0a1b2c3d")),
        ("#0a1b2c3d ", ExportNote(None, None, "0a1b2c3d")),
        ("!12 #0a1b2c3d ", ExportNote(12, "#0a1b2c3d ")),
        ("#0a1b !12 a", ExportNote()),
    ],
)
def test_a_note_is_read_as_it_was_written(text: str, note: ExportNote) -> None:
    assert ExportNote.read(text) == note
    if note != ExportNote():
        assert ExportNote.read(note.text) == note


# Looking


async def test_pauses_double_up_to_the_longest_and_looks_are_counted() -> None:
    relay = subject(*(shown("QUEUED") for _ in range(6)), poll_initial_seconds=2.0, poll_max_seconds=20.0)
    step, pauses = EXISTING, []
    for _ in range(6):
        result = await relay.attempt(step)
        assert isinstance(result, Pending)
        assert isinstance(result.remaining, ExportHoldings)
        step = result.remaining
        pauses.append(result.pause_seconds)

    assert pauses == [2, 4, 8, 16, 20, 20]
    assert (step.polls, step.waiting_since) == (6, relay.time.now)


async def test_a_pause_is_shortened_by_chance_so_that_exports_do_not_go_on_looking_together() -> None:
    relay = subject(shown("QUEUED"), poll_initial_seconds=8.0, uniform=lambda low, high: low)

    result = await relay.attempt(EXISTING)

    assert isinstance(result, Pending)
    assert result.pause_seconds == 8.0 * SHORTEST_SHARE


async def test_past_the_deadline_it_is_unavailable_and_the_last_status_is_told() -> None:
    relay = subject(*(shown("IN_PROGRESS") for _ in range(4)), deadline_seconds=10.0)

    finding = await relay.settle(EXISTING)

    assert relay.time.now == 1_000_010.0
    assert (finding.verdict, finding.code, finding.status) == (Verdict.FAILED, Code.UNAVAILABLE, 200)
    assert finding.message == "the export has not been completed within 10 s; its status is IN_PROGRESS"


async def test_the_deadline_counts_from_the_post_even_in_another_life() -> None:
    relay = subject(shown("QUEUED"), journal=kept(f"!{ASKED_AT - 7200} {EXPORT_ID}"))

    finding = await relay.settle(NEW, uncertain=True)

    assert finding.code is Code.UNAVAILABLE


@pytest.mark.parametrize("word", ["FAILED", "Failed", "export_error", "CANCELLED", "canceled"])
async def test_a_status_that_tells_of_failure_ends_the_export(word: str) -> None:
    finding = await subject(shown(word)).settle(EXISTING)

    assert (finding.verdict, finding.code, finding.status) == (Verdict.FAILED, Code.REFUSED, 200)
    assert finding.message == f"the export ended with status {word}"


@pytest.mark.parametrize("word", ["QUEUED", "In Progress", "something new"])
async def test_any_other_status_means_waiting(word: str) -> None:
    assert isinstance(await subject(shown(word)).attempt(EXISTING), Pending)


@pytest.mark.parametrize("word", ["COMPLETED", "Completed", " completed "])
async def test_completed_is_completed_in_any_case(word: str) -> None:
    relay = subject(shown(word, links=record()["links"]), file(kbart2(*lines(1))))

    assert (await relay.settle(EXISTING)).verdict is Verdict.SUCCEEDED


@pytest.mark.parametrize("content", ["?", [], {"id": EXPORT_ID}, {"status": " "}])
async def test_a_record_that_cannot_be_read_proves_nothing(content: Any) -> None:
    assert isinstance(await subject(answer(200, content)).attempt(EXISTING), Stumbled)


@pytest.mark.parametrize("links", [..., [], "x", [{"rel": "self", "href": "https://x.example"}], [{"rel": "download"}]])
async def test_a_completed_export_without_a_link_is_worth_another_look(links: Any) -> None:
    assert isinstance(await subject(shown(links=links)).attempt(EXISTING), Stumbled)


# Answers of the API


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"errors": [{"code": 1006, "message": "Invalid type", "subcode": 0}]}, "Invalid type"),
        ({"Errors": [{"Code": 1001, "Message": "Export not found", "SubCode": 0}]}, "Export not found"),
        ({"message": "Not Found"}, "Not Found"),
    ],
)
async def test_a_refusal_is_told_in_the_systems_words_in_each_of_its_shapes(body: Any, words: str) -> None:
    for status in (400, 404):
        finding = await subject(answer(status, body)).settle(EXISTING)
        assert (finding.code, finding.status, finding.message) == (Code.REFUSED, status, words)


@pytest.mark.parametrize("step", [NEW, EXISTING])
async def test_a_spent_quota_denies_the_customer(step: ExportHoldings) -> None:
    result = await subject(answer(429, {"message": "Limit Exceeded"})).attempt(step)

    assert result == Denied(Denial.QUOTA, step, (None,), 429, "Limit Exceeded", None)


async def test_retry_after_is_heeded_with_a_quota() -> None:
    body = {"errors": [{"code": 1, "message": "Limit Exceeded"}]}

    result = await subject(answer(429, body, {"Retry-After": "70"})).attempt(EXISTING)

    assert isinstance(result, Denied)
    assert (result.retry_after_seconds, result.message) == (70.0, "Limit Exceeded")


async def test_a_refused_key_denies_the_customer() -> None:
    result = await subject(answer(403, {"errors": [{"code": 1003, "message": "Invalid APIKEY"}]})).attempt(NEW)

    assert isinstance(result, Denied)
    assert (result.reason, result.message) == (Denial.CREDENTIALS, "Invalid APIKEY")


@pytest.mark.parametrize("status", [409, 500, 503, 504])
async def test_a_stumble_is_worth_another_attempt(status: int) -> None:
    result = await subject(answer(status, {"message": "busy"})).attempt(EXISTING)

    assert isinstance(result, Stumbled)
    assert (result.status, result.message, result.uncertain) == (status, "busy", False)


async def test_an_export_without_a_journal_is_a_defect() -> None:
    async def mark() -> None:
        pass

    with pytest.raises(ValueError, match="needs a journal"):
        await subject().holdingsiq.attempt(NEW, CallContext(None, False, mark))


# Links


async def test_an_expired_link_is_replaced_by_a_fresh_one() -> None:
    relay = subject(shown(), expired(), shown(), file(kbart2(*lines(1))))

    finding = await relay.settle(EXISTING)

    assert finding.verdict is Verdict.SUCCEEDED
    assert relay.calls == [GET, FILE, GET, FILE]


async def test_an_expired_token_is_an_expired_link_too() -> None:
    token = answer(400, b"<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>")
    relay = subject(shown(), token, shown(), file(kbart2(*lines(1))))

    assert (await relay.settle(EXISTING)).verdict is Verdict.SUCCEEDED


async def test_fresh_links_that_are_refused_again_and_again_are_a_stumble() -> None:
    relay = subject(shown(), expired(), shown(), expired(), shown(), expired())

    result = await relay.attempt(EXISTING)

    assert relay.calls == [GET, FILE] * 3
    assert isinstance(result, Stumbled)
    assert (result.status, result.uncertain) == (403, False)
    assert result.message == "the download was refused: AccessDenied: Request has expired"


async def test_a_policy_has_the_settings_defaults() -> None:
    assert ExportPolicy() == ExportPolicy(2.0, 60.0, 7200.0, 2000)
    assert ExportPolicy().pause(1000) == 60.0
