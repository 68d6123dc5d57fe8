"""Letters on disk come back as they were, in the order of their records."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.record import Partition
from service.domain.replays import LetterPlace
from service.letters.spool import Spool
from tests.builders.letters import TOPIC, letter

ONE, TWO = Partition("holdings.changes", 1), Partition("holdings.changes", 2)


@pytest.fixture
def spool() -> Iterator[Spool]:
    with Spool() as made:
        yield made


@given(
    st.none() | st.binary(max_size=10),
    st.binary(max_size=10),
    st.lists(st.tuples(st.text(max_size=5).filter(lambda t: t.isprintable()), st.none() | st.binary(max_size=9))),
)
def test_a_letter_comes_back_as_it_was(
    key: bytes | None, value: bytes, headers: list[tuple[str, bytes | None]]
) -> None:
    subject = letter((3, 17), key=key, value=value, headers=tuple(headers), status=None, system=None)

    with Spool() as spool:
        spool.add(subject, None)

        assert [one.letter for one in spool.to_send(force=False)] == [subject]


def test_letters_come_in_the_order_of_their_records_whatever_the_order_in_which_they_failed(spool: Spool) -> None:
    for place, origin, offset in [((0, 0), TWO, 5), ((0, 1), ONE, 7), ((1, 0), ONE, 3), ((2, 0), TWO, 4)]:
        spool.add(letter(place, origin=origin, origin_offset=offset), None)

    order = [(one.letter.origin, one.letter.origin_offset) for one in spool.to_send(force=False)]

    assert order == [(ONE, 3), (ONE, 7), (TWO, 4), (TWO, 5)]
    assert [(origin.partition, origin.lowest_offset) for origin in spool.origins()] == [(ONE, 3), (TWO, 4)]


def test_a_letter_given_twice_is_there_once(spool: Spool) -> None:
    for _ in range(2):
        spool.add(letter((0, 1)), None)

    assert spool.count_to_send(force=True) == 1


def test_of_letters_of_the_same_record_the_first_stays(spool: Spool) -> None:
    spool.add(letter((0, 2)), None)
    spool.add(letter((0, 1)), None)
    spool.add(letter((0, 3), value=b"of a topic that was made anew"), None)
    spool.set_copies_aside()

    assert [one.letter.place.offset for one in spool.to_send(force=True)] == [1, 3]
    assert (spool.copies, spool.problems) == (1, 0)


def test_what_has_been_replayed_is_left_out_unless_it_is_forced(spool: Spool) -> None:
    spool.add(letter((0, 1)), None)
    spool.note_replay(LetterPlace(TOPIC, 0, 1), b"1-2-3", next(spool.to_send(force=False)).letter.value, "t/0@9")

    assert spool.count_to_send(force=False) == 0
    assert [one.replayed for one in spool.to_send(force=True)] == ["t/0@9"]
    assert spool.replayed == 1


@pytest.mark.parametrize(
    ("place", "key", "value"),
    [
        (LetterPlace(TOPIC, 0, 2), b"1-2-3", b"v"),
        (LetterPlace("other." + TOPIC, 0, 1), b"1-2-3", b"v"),
        (LetterPlace(TOPIC, 0, 1), None, b"v"),
        (LetterPlace(TOPIC, 0, 1), b"1-2-3", b"w"),
    ],
)
def test_a_replay_of_something_else_does_not_count(
    spool: Spool, place: LetterPlace, key: bytes | None, value: bytes
) -> None:
    spool.add(letter((0, 1), value=b"v"), None)
    spool.note_replay(place, key, value, "t/0@9")

    assert spool.count_to_send(force=False) == 1


def test_later_records_of_the_same_key_are_counted_but_not_those_that_are_replayed_themselves(spool: Spool) -> None:
    spool.add(letter((0, 1), origin=ONE, origin_offset=5), None)
    spool.add(letter((0, 2), origin=ONE, origin_offset=8), None)
    for partition, offset, key in [
        (ONE, 4, b"1-2-3"),
        (ONE, 6, b"1-2-3"),
        (ONE, 8, b"1-2-3"),
        (ONE, 9, b"other"),
        (TWO, 9, b"1-2-3"),
        (ONE, 10, None),
    ]:
        spool.note_record(partition, offset, key)

    assert [one.later for one in spool.to_send(force=False)] == [1, 0]
    assert spool.overtaken(force=False) == 1


def test_what_cannot_be_replayed_is_told_with_its_reason(spool: Spool) -> None:
    spool.add(letter((0, 1)), "no")

    assert (spool.problems, spool.count_to_send(force=True)) == (1, 0)
    assert [one.problem for one in spool.with_problem(5)] == ["no"]
