"""The text that rides with a committed offset: what goes in comes out, and what is not ours is told as damaged."""

from __future__ import annotations

import base64
import string
import zlib

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from service.engine.commit_metadata import MAX_BYTES, VERSION, MetadataDamaged, MetadataTooLong, decode, encode
from service.engine.offsets import Position
from service.engine.runs import Run

KAFKA_LIMIT_BYTES = 4096


@st.composite
def _runs(draw: st.DrawFn, frontier: int) -> tuple[Run, ...]:
    runs: list[Run] = []
    end = frontier
    for gap, length in draw(st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60)), max_size=60)):
        runs.append((end + gap, end + gap + length))
        end += gap + length
    return tuple(runs)


@st.composite
def positions(draw: st.DrawFn) -> Position:
    frontier = draw(st.integers(0, 2**62))
    offsets = st.integers(frontier, frontier + 5000)
    return Position(
        frontier,
        draw(_runs(frontier)),
        draw(st.frozensets(offsets, max_size=30)),
        draw(st.dictionaries(offsets, st.integers(0, 2**40), max_size=30)),
        draw(st.dictionaries(offsets, st.text(max_size=50).filter(lambda text: text.isprintable()), max_size=3)),
    )


def _signed(frontier: int, payload: bytes) -> str:
    """Metadata whose checksum is right, whatever the payload."""
    checksum = zlib.crc32(payload, zlib.crc32(f"{VERSION}:{frontier}".encode()))
    return f"{VERSION}.{base64.urlsafe_b64encode(payload).rstrip(b'=').decode()}.{checksum:08x}"


@given(positions())
def test_a_position_comes_back_as_it_was(position: Position) -> None:
    assert decode(position.frontier, encode(position)) == position


@given(positions())
def test_metadata_is_ascii_and_within_the_brokers_limit(position: Position) -> None:
    metadata = encode(position)

    assert metadata.isascii()
    assert len(metadata) <= MAX_BYTES < KAFKA_LIMIT_BYTES


def test_a_position_with_nothing_beyond_the_frontier_needs_no_metadata() -> None:
    assert encode(Position(42)) == ""
    assert decode(42, "") == Position(42)


def test_far_apart_stretches_are_written_as_runs_and_a_chequered_range_as_bits() -> None:
    far_apart = Position(0, tuple((100_000 * i, 100_000 * i + 90_000) for i in range(1, 20)))
    chequered = Position(0, tuple((i, i + 1) for i in range(1, 20_000, 2)))

    assert len(encode(far_apart)) < 200
    assert len(encode(chequered)) < 20_000 // 8 * 4 // 3 + 100 < 20_000
    assert decode(0, encode(far_apart)) == far_apart
    assert decode(0, encode(chequered)) == chequered


def test_a_position_that_does_not_fit_is_told_not_cut() -> None:
    scattered = Position(0, tuple((1000 * i, 1000 * i + 1 + i % 7) for i in range(1, 3000)))

    with pytest.raises(MetadataTooLong, match="bytes"):
        encode(scattered)


@given(st.integers(0, 2**62), st.text(max_size=200).filter(bool))
def test_any_text_is_either_damaged_or_what_was_written(frontier: int, text: str) -> None:
    with pytest.raises(MetadataDamaged):
        decode(frontier, text)


@given(st.integers(0, 10_000), st.text(string.ascii_letters + string.digits + "-_=.", max_size=60))
def test_text_of_our_version_that_we_did_not_write_is_damaged(frontier: int, text: str) -> None:
    with pytest.raises(MetadataDamaged):
        decode(frontier, f"{VERSION}.{text}")


@given(positions(), st.data())
def test_a_changed_character_is_damage(position: Position, data: st.DataObject) -> None:
    metadata = encode(position)
    assume(metadata)
    place = data.draw(st.integers(0, len(metadata) - 1))
    other = data.draw(st.sampled_from([c for c in string.printable if c != metadata[place]]))

    with pytest.raises(MetadataDamaged):
        decode(position.frontier, metadata[:place] + other + metadata[place + 1 :])


@given(positions(), st.data())
def test_a_lost_or_added_character_is_damage(position: Position, data: st.DataObject) -> None:
    metadata = encode(position)
    assume(metadata)
    place = data.draw(st.integers(0, len(metadata) - 1))
    added = data.draw(st.sampled_from(string.printable))

    with pytest.raises(MetadataDamaged):
        decode(position.frontier, metadata[:place] + metadata[place + 1 :])
    with pytest.raises(MetadataDamaged):
        decode(position.frontier, metadata[:place] + added + metadata[place:])


@given(positions(), st.integers(1, 1000))
def test_metadata_never_passes_for_that_of_another_offset(position: Position, distance: int) -> None:
    metadata = encode(position)
    assume(metadata)

    with pytest.raises(MetadataDamaged, match="checksum"):
        decode(position.frontier + distance, metadata)


@given(st.integers(0, 10_000), st.binary(max_size=60))
def test_a_payload_with_a_right_checksum_that_makes_no_sense_is_damage_and_nothing_else(
    frontier: int, payload: bytes
) -> None:
    try:
        position = decode(frontier, _signed(frontier, payload))
    except MetadataDamaged:
        return
    assert position.frontier == frontier


@pytest.mark.parametrize(
    ("payload", "trouble"),
    [
        (b"", "nothing at all"),
        (b"\x01\x05ab", "a bitset that ends early"),
        (b"\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "more runs than there can be"),
        (b"\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "a longer bitset than there can be"),
        (b"\x07\x00\x00\x00", "an unknown form"),
        (b"\x00\x00\x00\x00trailing", "something behind the end"),
        (b"\x00\x80", "a number that ends early"),
    ],
)
def test_a_signed_payload_is_refused_when_it_has(payload: bytes, trouble: str) -> None:
    with pytest.raises(MetadataDamaged):
        decode(5, _signed(5, payload))


def test_an_unknown_version_is_named() -> None:
    with pytest.raises(MetadataDamaged, match="unknown version '3'"):
        decode(5, "3.AAAA.00000000")


def test_notes_come_back_and_without_any_the_first_version_is_written() -> None:
    noted = Position(7, attempted=frozenset({9}), progress={9: 2000}, notes={9: "id=096dea08-c57e"})

    assert encode(noted).startswith("2.")
    assert decode(7, encode(noted)) == noted
    assert encode(Position(7, attempted=frozenset({9}), progress={9: 2000})).startswith("1.")


def test_metadata_of_somebody_else_is_damage() -> None:
    with pytest.raises(MetadataDamaged, match="unknown version"):
        decode(5, "connect-mirror checkpoint")
