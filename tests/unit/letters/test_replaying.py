"""A dead letter goes to where it came from once, in the order of its record, whatever happens to the command."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.record import Partition
from service.domain.replays import replay_of
from service.kafka.resending import Resent
from service.kafka.spans import Span, SpanReader
from service.letters import replaying
from service.letters.letter import Letter
from service.letters.replaying import Preparation, Progress, send_all
from service.letters.spool import Spool
from tests.builders.letters import STORED_MS, TOPIC, letter
from tests.builders.outcomes import FINISHED_AT
from tests.fakes.replaying import Crash, FakeInputs
from tests.fakes.virtual_time import run_virtually

CHANGES, EXPORTS = "holdings.changes", "holdings.export-requests"
ONE = Partition(CHANGES, 1)


def inputs(**members: Any) -> FakeInputs:
    return FakeInputs({CHANGES: 3, EXPORTS: 1}, **members)


def arrived(key: bytes | None = b"k", value: bytes = b"v", at_ms: int = STORED_MS - 5000) -> Resent:
    return Resent(ONE, key, value, (), at_ms)


async def prepare(topics: FakeInputs, spool: Spool, letters: Sequence[Letter]) -> Preparation:
    preparation = Preparation(spool, {CHANGES, EXPORTS}, EXPORTS)
    await preparation.begin(cast("SpanReader", topics))
    for one in letters:
        preparation.add(one)
    await preparation.complete()
    return preparation


async def replay(topics: FakeInputs, letters: Sequence[Letter], *, force: bool = False) -> Progress:
    """One run of the command; raises `Crash` where it dies."""
    progress = Progress()
    with Spool() as spool:
        preparation = await prepare(topics, spool, letters)
        await preparation.make_sure()
        await send_all(topics, spool.to_send(force=force), progress)
    return progress


def replays(topics: FakeInputs) -> list[tuple[Partition, str]]:
    """What was replayed, partition by partition, in the order of the logs."""
    return [
        (partition, str(found.place))
        for partition in sorted(topics.logs)
        for stored in topics.logs[partition]
        if (found := replay_of(stored.headers)) is not None
    ]


async def test_the_record_goes_out_as_it_came_in_with_a_header_that_says_what_it_is() -> None:
    topics = inputs()
    subject = letter((3, 17), origin=ONE, headers=(("a", b"\x00"), ("relay-replay-of", b"older"), ("b", None)))

    await replay(topics, [subject])

    [sent] = topics.logs[ONE]
    assert (sent.key, sent.value) == (subject.key, subject.value)
    assert sent.headers == (("a", b"\x00"), ("b", None), ("relay-replay-of", f"{TOPIC}/3/17".encode()))
    assert sent.timestamp_ms > STORED_MS


async def test_a_letter_is_replayed_once_unless_it_is_forced() -> None:
    topics = inputs()
    subject = letter((3, 17), origin=ONE)

    assert [(await replay(topics, [subject], force=force)).sent for force in (False, False, True, False)] == [
        1,
        0,
        1,
        0,
    ]
    assert len(topics.logs[ONE]) == 2


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 30)), min_size=1, max_size=25, unique=True),
    st.lists(st.tuples(st.integers(0, 6), st.booleans()), max_size=4),
    st.integers(1, 5),
)
def test_a_command_that_dies_anywhere_is_run_again_and_sends_only_the_rest_in_order(
    origins: list[tuple[int, int]], crashes: list[tuple[int, bool]], chunk: int
) -> None:
    letters = [
        letter((0, number), origin=Partition(CHANGES, partition), origin_offset=offset)
        for number, (partition, offset) in enumerate(origins)
    ]
    topics = inputs()

    async def course() -> None:
        for crash_in, stores in crashes:
            topics.crash_in, topics.stores_before_crash = crash_in, stores
            with suppress(Crash):
                await replay(topics, letters)
        topics.crash_in = None
        await replay(topics, letters)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replaying, "CHUNK_RECORDS", chunk)
        run_virtually(course())

    in_order = sorted(letters, key=lambda one: (one.origin, one.origin_offset))
    assert replays(topics) == [(one.origin, str(one.place)) for one in in_order]


async def test_what_another_command_has_sent_since_the_forecast_is_not_sent_again() -> None:
    topics = inputs()
    letters = [letter((0, number), origin=ONE, origin_offset=number) for number in range(4)]
    progress = Progress()
    with Spool() as spool:
        preparation = await prepare(topics, spool, letters)
        assert spool.count_to_send(force=False) == 4
        await replay(topics, letters[:2])

        await preparation.make_sure()
        await send_all(topics, spool.to_send(force=False), progress)

    assert progress.sent == 2
    assert len(replays(topics)) == 4


async def test_only_what_lies_behind_the_records_is_read_and_that_once() -> None:
    topics = inputs()
    for _ in range(10):
        topics.append(ONE, arrived())
    with Spool() as spool:
        preparation = await prepare(topics, spool, [letter(origin=ONE, origin_offset=7)])
        topics.append(ONE, arrived(at_ms=STORED_MS + 1))
        await preparation.make_sure()

    assert topics.read_spans == [{ONE: Span(8, 10)}, {ONE: Span(10, 11)}]


async def test_in_a_topic_that_was_made_anew_a_replay_is_found_by_its_time() -> None:
    topics = inputs()
    topics.append(ONE, arrived())
    subject = letter(origin=ONE, origin_offset=40)
    await replay(topics, [subject])
    for _ in range(60):  # and now the log is longer than the old one was
        topics.append(ONE, arrived(at_ms=STORED_MS + 9_000_000_000_000))

    assert (await replay(topics, [subject])).sent == 0


async def test_what_has_no_place_to_go_is_said_with_the_reason() -> None:
    topics = inputs()
    strays = [
        letter((0, 0), origin=Partition("elsewhere", 0)),
        letter((0, 1), origin=Partition(CHANGES, 9)),
        letter((0, 2), origin=Partition(EXPORTS, 0)),
    ]
    del topics.partitions_of[EXPORTS]
    with Spool() as spool:
        await prepare(topics, spool, strays)

        assert {one.letter.place.offset: one.problem for one in spool.with_problem(9)} == {
            0: "it came from elsewhere, which is no input topic of this relay",
            1: "holdings.changes has no partition 9 any more",
            2: "there is no topic holdings.export-requests any more",
        }
        assert spool.count_to_send(force=True) == 0


async def test_what_a_topic_does_not_take_is_not_sent_and_all_else_is() -> None:
    letters = [letter((0, number), origin=ONE, origin_offset=number, value=b"%d" % number) for number in range(3)]
    topics = inputs(refused={b"1": "too large"})

    progress = await replay(topics, letters)

    assert (progress.sent, progress.refused_count, progress.refused) == (2, 1, ["0:1: too large"])
    assert [stored.value for stored in topics.logs[ONE]] == [b"0", b"2"]


@pytest.mark.parametrize(("rate", "seconds"), [(None, 0.0), (10.0, 3.8), (1.0, 39.0), (200.0, 0.0)])
def test_no_more_is_sent_in_a_second_than_the_rate_allows(rate: float | None, seconds: float) -> None:
    letters = [letter((0, number), origin=ONE, origin_offset=number) for number in range(40)]

    async def course() -> float:
        began = asyncio.get_running_loop().time()
        with Spool() as spool:
            topics = inputs()
            await prepare(topics, spool, letters)
            await send_all(topics, spool.to_send(force=False), Progress(), rate)
        return asyncio.get_running_loop().time() - began

    assert run_virtually(course()) == pytest.approx(seconds)


EXPORT = Partition(EXPORTS, 0)


async def test_an_export_that_has_been_replayed_is_not_looked_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    topics = inputs()
    subject = letter(origin=EXPORT, origin_offset=0)
    await replay(topics, [subject])
    monkeypatch.setattr(topics, "at", None)

    assert (await replay(topics, [subject])).sent == 0


async def since_of(topics: FakeInputs, subject: Letter) -> float | None:
    await replay(topics, [subject])
    found = replay_of(topics.logs[EXPORT][-1].headers)
    return found.since if found else None


async def test_a_replayed_export_says_when_its_record_came_in() -> None:
    topics = inputs()
    subject = letter(origin=EXPORT, origin_offset=0)
    topics.append(EXPORT, Resent(EXPORT, subject.key, subject.value, (), 1_699_000_000_500))

    assert await since_of(topics, subject) == 1_699_000_000.5


async def test_a_replay_of_a_replayed_export_keeps_the_first_moment() -> None:
    headers = (("relay-replay-of", b"t/0/1"), ("relay-replay-since", b"2023-11-01T00:00:00Z"))

    assert await since_of(inputs(), letter(origin=EXPORT, headers=headers)) == 1_698_796_800.0


@pytest.mark.parametrize("value", [None, b"another record: the topic was made anew"])
async def test_where_the_record_of_an_export_is_gone_a_day_is_allowed_for(value: bytes | None) -> None:
    topics = inputs()
    if value is not None:
        topics.append(EXPORT, Resent(EXPORT, b"1-2-3", value, (), STORED_MS - 5))

    assert await since_of(topics, letter(origin=EXPORT, origin_offset=0)) == FINISHED_AT - 86_400


async def test_a_sender_whose_clock_is_ahead_does_not_hide_an_export() -> None:
    topics = inputs()
    subject = letter(origin=EXPORT, origin_offset=0)
    topics.append(EXPORT, Resent(EXPORT, subject.key, subject.value, (), STORED_MS + 9_000_000))

    assert await since_of(topics, replace(subject)) == FINISHED_AT
