"""A dead letter read back is the record that failed, and why."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.answers import failed
from service.domain.codes import Code
from service.domain.operations import Asked, EventIdentity
from service.domain.outcomes import UNREAD
from service.domain.record import Headers, Partition
from service.domain.replays import LetterPlace
from service.kafka.reader import Stored
from service.kafka.records_out import dead_letter
from service.letters.letter import Reading, read_letter
from tests.builders.letters import STORED_MS, event, letter, stored_letter
from tests.builders.outcomes import FINISHED_AT, operation, outcome, record

READING = Reading("diku", 1_000_000)
BYTES = st.none() | st.binary(max_size=40)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            ["content-type", "x", "relay-code", "relay-topic", "relay-system", "relay-replay-of", "relay-x"]
        ),
        BYTES,
    ),
    max_size=10,
)


@given(BYTES, BYTES, HEADERS, st.none() | st.just("scsb"), st.none() | st.just(422))
def test_the_record_is_read_back_byte_for_byte_whatever_its_headers_are_called(
    key: bytes | None,
    value: bytes | None,
    headers: list[tuple[str, bytes | None]],
    system: str | None,
    status: int | None,
) -> None:
    failed_record = record(
        7, partition=Partition("p.holdings.changes", 2), key=key, value=value, headers=tuple(headers)
    )
    why = operation(failed(Code.REFUSED, status, "no"), Asked(system, None, None), attempts=3)
    sent = dead_letter(outcome(why, of=failed_record))

    read = read_letter(Stored("p.holdings.dead-letters", 1, 9, sent.key, sent.value, sent.headers, STORED_MS))

    assert read is not None
    assert (read.key, read.value, read.headers) == (key, value, tuple(headers))
    assert (read.origin, read.origin_offset) == (Partition("p.holdings.changes", 2), 7)
    assert (read.code, read.system, read.message, read.attempts) == ("refused", system, "no", "3")
    assert read.status == (str(status) if status else None)
    assert read.place == LetterPlace("p.holdings.dead-letters", 1, 9)
    assert read.failed_at == FINISHED_AT


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("relay-code", b"refused"),),
        (("relay-code", b"refused"), ("relay-topic", b"t"), ("relay-partition", b"x"), ("relay-offset", b"1")),
        (("relay-code", b"refused"), ("relay-topic", b"t"), ("relay-partition", b"1"), ("relay-offset", b"-1")),
        (("relay-topic", b"t"), ("relay-partition", b"1"), ("relay-offset", b"1"), ("relay-code", b"refused")),
    ],
)
def test_a_record_that_the_relay_did_not_write_is_no_letter(headers: Headers) -> None:
    assert read_letter(replace(stored_letter(), headers=headers)) is None


def test_a_letter_that_does_not_tell_when_it_failed_failed_when_it_was_stored() -> None:
    stored = stored_letter()
    headers = tuple((n, b"yesterday" if n == "relay-failed-at" else v) for n, v in stored.headers)

    read = read_letter(replace(stored, headers=headers))

    assert read is not None
    assert read.failed_at == STORED_MS / 1000


def test_of_an_event_is_told_what_the_worker_would_tell() -> None:
    subject = letter(value=event("e7", tenant="other"))

    told = READING.event(subject)

    assert told.identity == EventIdentity("e7", "/tests", "holdings.changed")
    assert told.tenant == "other"
    assert READING.event(letter()).tenant == "diku", "by default"
    assert READING.targets(subject) == ("1-2-3",)


@pytest.mark.parametrize("value", [b"\xff", b"{}", b"[]"])
def test_of_an_event_that_cannot_be_read_nothing_is_told(value: bytes) -> None:
    told = READING.event(letter(value=value))

    assert (told.identity, told.tenant) == (UNREAD, None)
    assert READING.targets(letter(value=value)) == ()
