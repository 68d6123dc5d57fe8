"""Rows on their way from the file into the journal: in chunks, each once, through crashes and cuts."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from service.domain.answers import Finding, Settled, Stumbled, Verdict
from service.domain.codes import Code
from service.engine.ports import OwnershipLost
from service.systems.export_publication import MAX_COMMIT_BYTES
from tests.builders.exports import HEADER, kbart2, lines
from tests.fakes.journal import FakeJournal
from tests.unit.systems.exporting import EXISTING, Subject, cut_file, file, shown, subject
from tests.unit.systems.scripted import Scripted, answer

ROWS = 25
FILE = kbart2(*lines(ROWS))
TITLES = [f"19-23-{1000 + number}" for number in range(ROWS)]


def titles(journal: FakeJournal) -> list[str]:
    return [row.key for row in journal.published]


def finding_of(result: object) -> Finding:
    assert isinstance(result, Settled), result
    return result.findings[0]


async def fetched(download: Scripted, journal: FakeJournal | None = None, **policy: Any) -> tuple[object, Subject]:
    """One attempt at an export that is completed, with this download."""
    relay = subject(shown(), download, journal=journal, **policy)
    return await relay.attempt(EXISTING), relay


async def test_rows_go_out_in_chunks_in_the_order_of_the_file() -> None:
    result, relay = await fetched(file(FILE), rows_per_commit=10)

    assert finding_of(result).verdict is Verdict.SUCCEEDED
    assert [len(chunk) for chunk in relay.journal.chunks] == [10, 10, 5]
    assert titles(relay.journal) == TITLES
    assert [row.data["row"] for row in relay.journal.published] == list(range(1, ROWS + 1))


async def test_the_next_rows_are_read_while_one_chunk_at_most_is_published() -> None:
    read = 0
    held, gathered = asyncio.Event(), asyncio.Event()

    class Slow(FakeJournal):
        async def publish(self, rows: Any, note: str | None = None) -> None:
            await held.wait()
            await super().publish(rows, note)

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal read
        for line in FILE.splitlines(keepends=True):
            read += 1
            if read == 11:
                gathered.set()
            yield line

    relay = subject(shown(), httpx.Response(200, content=pieces()), journal=Slow(), rows_per_commit=5)
    running = asyncio.create_task(relay.attempt(EXISTING))
    await gathered.wait()
    for _ in range(50):
        await asyncio.sleep(0)

    assert read == 11, "the header, five rows that are being published, and five that are gathered"
    held.set()
    assert finding_of(await running).verdict is Verdict.SUCCEEDED
    assert relay.journal.most_at_once == 1
    assert titles(relay.journal) == TITLES


async def test_a_commit_holds_about_a_megabyte_however_many_rows_it_may_have() -> None:
    wide = [f"{'T' * 100_000},{number},1,2," for number in range(25)]

    _, relay = await fetched(file(kbart2(*wide), piece_bytes=65_536), rows_per_commit=10_000)

    assert len(relay.journal.published) == 25
    assert max(sum(len(str(row.data)) for row in chunk) for chunk in relay.journal.chunks) <= MAX_COMMIT_BYTES * 1.1
    assert min(len(chunk) for chunk in relay.journal.chunks[:-1]) > 5


@pytest.mark.parametrize("unheard", [False, True])
@pytest.mark.parametrize("chunks", range(7))
async def test_killed_after_any_chunk_the_next_life_publishes_the_rest_once(chunks: int, unheard: bool) -> None:
    journal = FakeJournal()
    journal.lose_after, journal.unheard = chunks, unheard
    with pytest.raises(OwnershipLost):
        await fetched(file(FILE), journal, rows_per_commit=4)
    assert len(journal.chunks) == chunks + unheard

    journal.lose_after = None
    result, _ = await fetched(file(FILE, piece_bytes=33), journal, rows_per_commit=3)

    finding = finding_of(result)
    assert titles(journal) == TITLES
    assert finding.export is not None
    assert finding.export.rows == ROWS


async def test_killed_again_and_again_every_row_is_published_once() -> None:
    journal = FakeJournal()
    for _ in range(12):
        journal.lose_after = 1
        with pytest.raises(OwnershipLost):
            await fetched(file(FILE), journal, rows_per_commit=2)

    journal.lose_after = None
    await fetched(file(FILE), journal, rows_per_commit=2)

    assert titles(journal) == TITLES


BREAKS: list[Exception] = [httpx.ReadError("?"), httpx.RemoteProtocolError("?"), httpx.ReadTimeout("?")]


@pytest.mark.parametrize("error", BREAKS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("at", [0, 10, len(HEADER) + 1, 300, len(FILE) - 1])
async def test_a_download_that_breaks_is_begun_anew_and_no_row_is_published_twice(error: Exception, at: int) -> None:
    journal = FakeJournal()

    first, _ = await fetched(cut_file(FILE, at, error), journal, rows_per_commit=4)
    assert isinstance(first, Stumbled)
    assert (first.uncertain, first.remaining) == (False, EXISTING)
    whole_lines = max(0, FILE[:at].count(b"\n") - 1)
    assert titles(journal) == TITLES[:whole_lines], "what has come whole is published before the next attempt"

    second, _ = await fetched(file(FILE), journal, rows_per_commit=4)
    assert finding_of(second).verdict is Verdict.SUCCEEDED
    assert titles(journal) == TITLES


async def test_a_file_that_is_shorter_than_its_head_says_is_not_whole() -> None:
    result, relay = await fetched(file(FILE[:300], length=len(FILE)))

    assert isinstance(result, Stumbled)
    assert f"ended after 300 of {len(FILE)} bytes" in result.message
    assert titles(relay.journal) == TITLES[: FILE[:300].count(b"\n") - 1]


async def test_a_file_that_is_shorter_than_its_record_says_is_not_whole() -> None:
    relay = subject(shown(size=len(FILE) + 1), file(FILE))

    result = await relay.attempt(EXISTING)

    assert isinstance(result, Stumbled)
    assert result.message == (
        f"holdingsiq: the download ended after {len(FILE)} of the {len(FILE) + 1} bytes that the record states"
    )


async def unframed(content: bytes, **members: Any) -> tuple[object, Subject]:
    """A download of which only the connection's end tells where it ends."""

    async def pieces() -> AsyncIterator[bytes]:
        yield content

    response = httpx.Response(200, content=pieces())
    del response.headers["transfer-encoding"]
    relay = subject(shown(**members), response)
    return await relay.attempt(EXISTING), relay


async def test_without_any_length_a_file_that_ends_within_a_line_is_not_whole() -> None:
    result, relay = await unframed(FILE[:-3])

    assert isinstance(result, Stumbled)
    assert result.message == "holdingsiq: the download ended in the middle of a row"
    assert titles(relay.journal) == TITLES[:-1]


async def test_a_file_without_a_last_line_end_is_whole_when_a_length_says_so() -> None:
    for result, relay in (
        await fetched(file(FILE[:-1])),
        await unframed(FILE[:-1], size=len(FILE) - 1),
        await unframed(FILE),
    ):
        assert finding_of(result).verdict is Verdict.SUCCEEDED
        assert titles(relay.journal) == TITLES


async def test_a_file_that_has_become_shorter_than_what_was_published_is_refused() -> None:
    journal = FakeJournal()
    await fetched(file(FILE), journal)

    result, _ = await fetched(file(kbart2(*lines(3))), journal)

    assert (finding_of(result).verdict, finding_of(result).code) == (Verdict.FAILED, Code.REFUSED)
    assert "the file has changed" in str(finding_of(result).message)


async def test_a_file_whose_first_rows_are_others_than_those_that_were_published_is_not_gone_on_with() -> None:
    journal = FakeJournal()
    await fetched(cut_file(FILE, 300, httpx.ReadError("?")), journal, rows_per_commit=4)
    published = titles(journal)
    changed = kbart2("A new title,1,23,19,", *lines(ROWS))

    result, _ = await fetched(file(changed), journal)

    finding = finding_of(result)
    assert (finding.verdict, finding.code) == (Verdict.FAILED, Code.REFUSED)
    assert finding.message == (
        f"the file has changed: its first {len(published)} rows are not those that were published"
    )
    assert titles(journal) == published


async def test_a_file_that_has_changed_behind_what_was_published_is_gone_on_with() -> None:
    """Which rows those would have been nobody knows; no row is lost or doubled."""
    journal = FakeJournal()
    await fetched(cut_file(FILE, 300, httpx.ReadError("?")), journal, rows_per_commit=4)

    result, _ = await fetched(file(kbart2(*lines(ROWS), "A new title,1,23,19,")), journal)

    assert finding_of(result).verdict is Verdict.SUCCEEDED
    assert titles(journal) == [*TITLES, "19-23-1"]


async def test_what_is_remembered_of_a_new_export_stays_beside_the_check_of_its_rows() -> None:
    journal = FakeJournal()
    journal.note = "!12 an id"

    await fetched(file(FILE), journal, rows_per_commit=10)

    assert re.fullmatch("#[0-9a-f]{8} !12 an id", journal.note)


async def test_broken_rows_are_left_out_and_told_in_the_report() -> None:
    content = kbart2(*lines(2), "x", *lines(2, 2))

    result, relay = await fetched(file(content))

    finding = finding_of(result)
    assert (finding.verdict, finding.message) == (Verdict.SUCCEEDED, "1 row could not be read")
    assert finding.export is not None
    assert [(row.line, row.message) for row in finding.export.broken_rows] == [(4, "1 cells in place of 5")]
    assert titles(relay.journal) == TITLES[:4]


async def test_counts_that_differ_are_told_beside_the_rows() -> None:
    counts = {"totalResourceCount": "26", "uniqueResourceCount": "25"}
    relay = subject(shown(customerHoldingsCounts=counts), file(FILE))

    finding = finding_of(await relay.attempt(EXISTING))

    assert finding.export is not None
    assert (finding.export.stated, finding.export.agrees) == (counts, False)
    assert "totalResourceCount is 26, and the file names 25" in str(finding.message)


async def test_a_new_export_without_a_type_in_its_record_has_the_type_that_was_asked_for() -> None:
    relay = subject(shown(type=...), file(b"KBID,Cost\n1,2\n"))

    await relay.attempt(EXISTING)

    assert relay.journal.published[0].data["type"] == "UNKNOWN"
    assert relay.journal.published[0].data["columns"] == {"KBID": "1", "Cost": "2"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a,b\n".encode("utf-16"), "UTF-16"),
        (b"a,b\n1,2\n", "none of the columns of KBART2"),
    ],
)
async def test_a_file_that_cannot_be_read_at_all_is_refused(content: bytes, words: str) -> None:
    finding = finding_of((await fetched(file(content)))[0])

    assert (finding.code, finding.status) == (Code.REFUSED, 200)
    assert words in str(finding.message)


async def test_a_page_in_place_of_the_file_proves_nothing() -> None:
    assert isinstance((await fetched(answer(200, "<html>Welcome</html>")))[0], Stumbled)


async def test_a_compressed_file_is_refused_because_it_was_not_asked_for() -> None:
    compressed = httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"?"))

    assert "comes compressed (gzip)" in str(finding_of((await fetched(compressed))[0]).message)


async def test_an_empty_file_is_an_export_without_rows_that_says_so() -> None:
    finding = finding_of((await fetched(answer(200, b"")))[0])

    assert (finding.verdict, finding.message) == (Verdict.SUCCEEDED, "the file is empty")


@pytest.mark.parametrize("status", [404, 410, 405])
async def test_a_download_that_is_refused_for_good_is_told_in_the_stores_words_alone(status: int) -> None:
    body = b"<Error><Code>NoSuchKey</Code><Message>Gone.</Message><StringToSign>SESAME</StringToSign></Error>"

    finding = finding_of((await fetched(answer(status, body)))[0])

    assert (finding.code, finding.status) == (Code.REFUSED, status)
    assert finding.message == "the download was refused: NoSuchKey: Gone."


@pytest.mark.parametrize("status", [302, 408, 429, 500, 503])
async def test_a_download_that_stumbles_is_worth_another_attempt(status: int) -> None:
    result, _ = await fetched(answer(status, "SESAME", {"Retry-After": "9"}))

    assert isinstance(result, Stumbled)
    assert (result.status, result.retry_after_seconds) == (status, 9.0)
    assert result.message == f"the download was answered with HTTP {status}"


@pytest.mark.parametrize("error", [httpx.ConnectError("?"), httpx.ConnectTimeout("?"), httpx.ReadTimeout("?")])
async def test_a_download_that_cannot_be_opened_is_worth_another_attempt(error: Exception) -> None:
    assert isinstance((await fetched(error))[0], Stumbled)


async def test_cancelled_in_the_middle_it_leaves_nothing_running() -> None:
    publishing = asyncio.Event()

    class Stuck(FakeJournal):
        async def publish(self, rows: Any, note: str | None = None) -> None:
            publishing.set()
            await asyncio.Event().wait()

    before = asyncio.all_tasks()
    relay = subject(shown(), file(FILE), journal=Stuck(), rows_per_commit=4)
    running = asyncio.create_task(relay.attempt(EXISTING))
    await publishing.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert not [task for task in asyncio.all_tasks() - before if "publish" in repr(task)]
