"""Bodies that are made while they are sent, so that their size is bounded by nothing.

Owns the interface and the two simplest bodies: bytes at hand, and a stretch of another body. It must not know HTTP.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

_PIECE_BYTES: Final = 256 * 1024


class Content(Protocol):
    """Bytes of a size that is known before the first is made. Reading it twice gives the same bytes."""

    @property
    def size(self) -> int:
        """Number of bytes."""
        ...

    def pieces(self, start: int = 0) -> Iterator[bytes]:
        """The bytes from `start` on, in pieces of any length but none; making one must not take long."""
        ...


@dataclass(frozen=True, slots=True)
class LiteralContent:
    """Bytes at hand."""

    body: bytes

    @property
    def size(self) -> int:
        """Number of bytes."""
        return len(self.body)

    def pieces(self, start: int = 0) -> Iterator[bytes]:
        """The bytes from `start` on."""
        for position in range(start, len(self.body), _PIECE_BYTES):
            yield self.body[position : position + _PIECE_BYTES]


@dataclass(frozen=True, slots=True)
class Stretch:
    """The bytes of another content from `start` up to, not including, `stop`."""

    content: Content
    start: int
    stop: int

    @property
    def size(self) -> int:
        """Number of bytes."""
        return self.stop - self.start

    def pieces(self, start: int = 0) -> Iterator[bytes]:
        """The bytes of the stretch from its own position `start` on."""
        left = self.size - start
        if left <= 0:
            return
        for piece in self.content.pieces(self.start + start):
            yield piece[:left]
            left -= len(piece)
            if left <= 0:
                return
