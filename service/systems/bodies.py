"""How much of an answer is read, and its decompression. Owns the limit on the size of an answer.

Must not judge an answer. httpx's decoders are not used: they decompress a piece whole, whatever comes of it.
"""

from __future__ import annotations

import zlib
from typing import Final

import httpx

MAX_ANSWER_BYTES: Final = 16 << 20
"""Of one answer, as it comes and decompressed. The largest that a system has reason to give, the errors of a full batch
of record sets, has about half of that."""

_ZLIB_OR_GZIP: Final = 32 + zlib.MAX_WBITS
_ZLIB_ENCODINGS: Final = frozenset({b"gzip", b"x-gzip", b"deflate"})


class AnswerTooLarge(httpx.TransportError):
    """An answer was left unread because it is larger than it may be. The request has been received."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"larger than {max_bytes} bytes")


def plain_body(raw: bytes, encoding: bytes | None, max_bytes: int = MAX_ANSWER_BYTES) -> bytes:
    """The body, decompressed where it is compressed once by gzip or deflate; as it is under any other encoding.

    `encoding` is the header Content-Encoding. Raises `AnswerTooLarge` and httpx's DecodingError.
    """
    if len(raw) > max_bytes:
        raise AnswerTooLarge(max_bytes)
    if encoding is None or not raw or encoding.strip().lower() not in _ZLIB_ENCODINGS:
        return raw
    return _decompressed(raw, max_bytes)


def _decompressed(raw: bytes, max_bytes: int) -> bytes:
    try:
        body = zlib.decompressobj(_ZLIB_OR_GZIP).decompress(raw, max_bytes + 1)
    except zlib.error as wrapped:
        try:
            # some servers leave out what RFC 9110 wants around deflate
            body = zlib.decompressobj(-zlib.MAX_WBITS).decompress(raw, max_bytes + 1)
        except zlib.error:
            raise httpx.DecodingError(str(wrapped)) from wrapped
    if len(body) > max_bytes:
        raise AnswerTooLarge(max_bytes)
    return body
