"""A download that breaks is gone on with in the same attempt, where the store still has the very same file."""

from __future__ import annotations

import httpx
import pytest

from service.domain.answers import Settled, Stumbled, Verdict
from service.engine.ports import CallContext, OwnershipLost
from service.systems.resumed_downloads import MOST_RESUMPTIONS
from tests.builders.exports import kbart2, lines
from tests.fakes.journal import FakeJournal
from tests.unit.systems.exporting import EXISTING, FILE, GET, Subject, cut_file, file, shown, subject
from tests.unit.systems.scripted import Scripted, answer

CONTENT = kbart2(*lines(25))
KEYS = [f"19-23-{1000 + number}" for number in range(25)]
TAG = '"one file"'
BROKEN = httpx.ReadError("?")


def cut(at: int, *, tag: str | None = TAG) -> Scripted:
    return cut_file(CONTENT, at, BROKEN, headers={} if tag is None else {"ETag": tag})


def rest(start: int, at: int) -> Scripted:
    """What is left from a byte on, which breaks after `at` bytes more."""
    headers = {"ETag": TAG, "Content-Range": f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"}
    return cut_file(CONTENT[start:], at, BROKEN, status=206, headers=headers)


def whole(start: int, **others: str) -> Scripted:
    """All that is left from a byte on."""
    left = CONTENT[start:]
    place = {"ETag": TAG, "Content-Range": f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}", **others}
    return httpx.Response(206, headers=place, content=left)


async def attempted(*downloads: Scripted) -> tuple[object, Subject]:
    relay = subject(shown(), *downloads, rows_per_commit=4)
    return await relay.attempt(EXISTING), relay


def keys(relay: Subject) -> list[str]:
    return [row.key for row in relay.journal.published]


def assert_succeeded(result: object, relay: Subject) -> None:
    assert isinstance(result, Settled), result
    assert result.findings[0].verdict is Verdict.SUCCEEDED
    assert keys(relay) == KEYS


@pytest.mark.parametrize("at", [1, 60, 300, len(CONTENT) - 1])
async def test_the_rest_is_asked_for_from_the_byte_where_it_broke_if_it_is_the_same_file(at: int) -> None:
    result, relay = await attempted(cut(at), whole(at))

    assert_succeeded(result, relay)
    assert relay.calls == [GET, FILE, FILE]
    first, second = relay.transport.requests[1:]
    assert "range" not in first.headers
    assert (second.headers["range"], second.headers["if-range"]) == (f"bytes={at}-", TAG)
    assert "x-api-key" not in second.headers


async def test_what_breaks_again_and_again_is_gone_on_with_as_long_as_each_brings_something() -> None:
    result, relay = await attempted(cut(100), rest(100, 50), rest(150, 200), whole(350))

    assert_succeeded(result, relay)


@pytest.mark.parametrize("tag", [None, 'W/"weak"', "bare"])
async def test_without_a_tag_that_promises_the_same_bytes_the_rest_is_not_asked_for(tag: str | None) -> None:
    result, relay = await attempted(cut(300, tag=tag))

    assert isinstance(result, Stumbled)
    assert relay.calls == [GET, FILE]


@pytest.mark.parametrize(
    "second",
    [
        file(CONTENT),
        whole(300, ETag='"another"'),
        whole(300, **{"Content-Range": "bytes 299-600/601"}),
        whole(300, **{"Content-Range": "*"}),
        answer(412, "another file"),
        answer(403, "<Error><Message>Request has expired</Message></Error>"),
        httpx.ConnectError("?"),
    ],
    ids=["whole", "another file", "another place", "no place", "412", "expired", "no connection"],
)
async def test_what_is_not_the_rest_of_the_file_is_left_and_the_next_attempt_begins_anew(second: Scripted) -> None:
    result, relay = await attempted(cut(300), second)

    assert isinstance(result, Stumbled)
    assert result.message == "holdingsiq: connection lost after 300 bytes"
    relay.transport.answers += [shown(), file(CONTENT)]
    assert_succeeded(await relay.attempt(EXISTING), relay)


async def test_a_rest_that_brings_nothing_ends_the_attempt() -> None:
    result, _ = await attempted(cut(300), rest(300, 0))

    assert isinstance(result, Stumbled)


async def test_a_store_that_breaks_off_after_every_byte_is_left_alone_after_some_of_them() -> None:
    pieces = [rest(300 + number, 1) for number in range(MOST_RESUMPTIONS)]

    result, relay = await attempted(cut(300), *pieces)

    assert isinstance(result, Stumbled)
    assert len(relay.calls) == 2 + MOST_RESUMPTIONS


async def test_the_rest_is_not_asked_for_when_the_partition_has_been_lost_meanwhile() -> None:
    relay = subject(shown(), cut(300))
    asked = 0

    async def may_leave() -> None:
        nonlocal asked
        asked += 1
        if asked > 2:
            raise OwnershipLost("gone")

    async def mark() -> None: ...

    context = CallContext(None, False, mark, may_leave=may_leave, journal=FakeJournal())
    with pytest.raises(OwnershipLost):
        await relay.holdingsiq.attempt(EXISTING, context)
    assert relay.calls == [GET, FILE]
