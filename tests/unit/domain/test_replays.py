"""The headers of a replayed dead letter, written and read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.record import Headers
from service.domain.replays import LetterPlace, replay_of, with_replay

PLACE = LetterPlace("test.holdings.dead-letters", 3, 17)
HEADER = (("relay-replay-of", b"test.holdings.dead-letters/3/17"),)
MOMENT = 1_700_000_000.25

NAMES = st.sampled_from(["content-type", "ce_id", "relay-code", "relay-replay-of", "relay-replay-since"])
HEADERS = st.lists(st.tuples(NAMES, st.none() | st.binary(max_size=20)), max_size=8)


def test_a_record_without_the_header_is_no_replay() -> None:
    assert replay_of((("relay-code", b"refused"), ("relay-replay-since", b"2026-01-01T00:00:00Z"))) is None


def test_the_header_says_where_the_letter_lies() -> None:
    found = replay_of(HEADER)

    assert found is not None
    assert (found.place, found.since) == (PLACE, 0.0)
    assert with_replay((), PLACE, None) == HEADER


@given(HEADERS, st.none() | st.just(MOMENT))
def test_what_is_written_is_read_back_and_all_other_headers_stay_as_they_were(
    headers: list[tuple[str, bytes | None]], since: float | None
) -> None:
    written: Headers = with_replay(tuple(headers), PLACE, since)

    found = replay_of(written)

    assert found is not None
    assert (found.place, found.since) == (PLACE, since or 0.0)
    others = [header for header in headers if not header[0].startswith("relay-replay-")]
    assert [header for header in written if not header[0].startswith("relay-replay-")] == others


@pytest.mark.parametrize(
    "value", [None, b"", b"x", b"topic/1", b"topic/1/", b"topic/1/-2", b"topic/01/2", b"/1/2", b"topic/1/2/3", b"\xff"]
)
def test_a_header_that_cannot_be_read_makes_a_replay_of_nothing_known(value: bytes | None) -> None:
    found = replay_of((("relay-replay-of", value),))

    assert found is not None
    assert found.place is None


@pytest.mark.parametrize("value", [None, b"yesterday", b"\xff", b"0001-01-01T00:00:00Z", b"99999-01-01"])
def test_a_moment_that_cannot_be_read_is_the_beginning_of_time(value: bytes | None) -> None:
    found = replay_of((*HEADER, ("relay-replay-since", value)))

    assert found is not None
    assert found.since == 0.0
