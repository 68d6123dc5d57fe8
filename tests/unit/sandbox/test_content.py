"""Bodies made on the way: bytes at hand, and stretches of another body."""

from __future__ import annotations

import pytest

from service.sandbox.content import LiteralContent, Stretch

BODY = bytes(range(256)) * 3000


@pytest.mark.parametrize("start", [0, 1, 262_143, 262_144, 700_000, len(BODY)])
def test_literal_bytes_are_read_from_any_position(start: int) -> None:
    pieces = list(LiteralContent(BODY).pieces(start))

    assert b"".join(pieces) == BODY[start:]
    assert all(pieces)


@pytest.mark.parametrize(("start", "stop"), [(0, len(BODY)), (5, 9), (262_140, 262_150), (7, 7), (0, 262_144)])
@pytest.mark.parametrize("within", [0, 3, 1_000_000])
def test_a_stretch_is_what_lies_between_its_ends(start: int, stop: int, within: int) -> None:
    stretch = Stretch(LiteralContent(BODY), start, stop)

    assert stretch.size == stop - start
    assert b"".join(stretch.pieces(within)) == BODY[start:stop][within:]


def test_a_stretch_of_a_stretch_counts_from_the_beginning_of_the_first() -> None:
    inner = Stretch(LiteralContent(BODY), 10, 1000)

    assert b"".join(Stretch(inner, 5, 20).pieces()) == BODY[15:30]
