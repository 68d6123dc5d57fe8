"""The metadata of a committed offset: a position written as text of at most `MAX_BYTES`, and read back. Pure.

Form: `<version>.<base64url payload>.<crc32>`. The payload is three lists of variable-length integers, relative to the
frontier: finished offsets (run lengths, or a bitset where that is shorter), attempted offsets, and progress; version 2
has a fourth one, of notes, and is written only when there are any. The checksum covers the version, the payload and
the frontier, so that metadata never passes for that of another offset.
"""

from __future__ import annotations

import base64
import binascii
import math
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from service.engine.offsets import Position
from service.engine.runs import Run

MAX_BYTES = 3976
"""With the stamp of `kafka/log_identity.py` 4,000. Kafka's own default limit is 4,096 (`offset.metadata.max.bytes`)."""

VERSION, WITH_NOTES = "1", "2"
_RUNS, _BITSET = 0, 1


class MetadataTooLong(Exception):
    """The position does not fit. Committing less than all of it could publish a result twice."""


class MetadataDamaged(Exception):
    """Unknown version, wrong checksum, or not ours. The frontier alone is always safe."""


def encode(position: Position) -> str:
    """The metadata to commit with `position.frontier`; empty when there is nothing beyond the frontier.

    Raises `MetadataTooLong` when it would exceed `MAX_BYTES`.
    """
    if not (position.completed or position.attempted or position.progress or position.notes):
        return ""
    version = WITH_NOTES if position.notes else VERSION
    payload = bytearray(_encode_completed(position.completed, position.frontier))
    payload += _encode_ascending(sorted(position.attempted), position.frontier)
    payload += _encode_ascending(sorted(position.progress), position.frontier)
    for offset in sorted(position.progress):
        payload += _varint(position.progress[offset])
    if position.notes:
        payload += _encode_notes(position.notes, position.frontier)
    text = f"{version}.{_base64(payload)}.{_checksum(version, payload, position.frontier)}"
    if len(text) > MAX_BYTES:
        raise MetadataTooLong(f"{len(text)} bytes")
    return text


def decode(frontier: int, metadata: str) -> Position:
    """The position that was committed. Raises `MetadataDamaged` for whatever `encode` did not write for this offset."""
    if not metadata:
        return Position(frontier)
    version, _, rest = metadata.partition(".")
    if version not in (VERSION, WITH_NOTES):
        raise MetadataDamaged(f"unknown version {version[:20]!r}")
    body, _, checksum = rest.rpartition(".")
    try:
        payload = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    except (binascii.Error, ValueError) as error:
        raise MetadataDamaged("not base64") from error
    if _base64(payload) != body:
        raise MetadataDamaged("not the base64 that was written")
    if _checksum(version, payload, frontier) != checksum:
        raise MetadataDamaged("wrong checksum")
    try:
        return _decode_payload(version, frontier, iter(payload))
    except StopIteration as error:
        raise MetadataDamaged("cut short") from error


def _decode_payload(version: str, frontier: int, payload: Iterator[int]) -> Position:
    completed = _decode_completed(payload, frontier)
    attempted = frozenset(_decode_ascending(payload, frontier))
    exports = _decode_ascending(payload, frontier)
    progress = {offset: _read_varint(payload) for offset in exports}
    notes = _decode_notes(payload, frontier) if version == WITH_NOTES else {}
    if next(payload, None) is not None:
        raise MetadataDamaged("something behind its end")
    return Position(frontier, completed, attempted, progress, notes)


def _encode_completed(runs: Sequence[Run], frontier: int) -> bytes:
    bitset_bytes = (runs[-1][1] - frontier) // 8 + 4 if runs else math.inf
    if 2 * len(runs) < bitset_bytes:  # or it is shorter in any case: a run takes two bytes at the least
        as_runs = _run_lengths(runs, frontier)
        if len(as_runs) < bitset_bytes:
            return as_runs
    bits = 0
    for start, end in runs:
        bits |= ((1 << (end - start)) - 1) << (start - frontier)
    size = (bits.bit_length() + 7) // 8
    return bytes((_BITSET,)) + _varint(size) + bits.to_bytes(size, "little")


def _run_lengths(runs: Sequence[Run], frontier: int) -> bytes:
    encoded = bytearray((_RUNS,)) + _varint(len(runs))
    previous = frontier
    for start, end in runs:
        encoded += _varint(start - previous) + _varint(end - start)
        previous = end
    return bytes(encoded)


def _decode_completed(payload: Iterator[int], frontier: int) -> tuple[Run, ...]:
    form = next(payload)
    count = _read_varint(payload)
    if form == _RUNS:
        runs: list[Run] = []
        position = frontier
        for _ in range(count):
            start = position + _read_varint(payload)
            position = start + _read_varint(payload)
            runs.append((start, position))
        return tuple(runs)
    if form == _BITSET:
        bitset = bytes(islice(payload, min(count, MAX_BYTES)))
        if len(bitset) < count:
            raise MetadataDamaged("cut short")
        return tuple(_runs_of_bits(bitset, frontier))
    raise MetadataDamaged(f"unknown form {form}")


def _runs_of_bits(bitset: bytes, frontier: int) -> Iterator[Run]:
    start: int | None = None
    for index in range(len(bitset) * 8 + 1):
        finished = index < len(bitset) * 8 and bitset[index >> 3] >> (index & 7) & 1
        if finished and start is None:
            start = index
        elif not finished and start is not None:
            yield frontier + start, frontier + index
            start = None


def _encode_ascending(offsets: Iterable[int], frontier: int) -> bytes:
    encoded = bytearray()
    count, previous = 0, frontier
    for offset in offsets:
        encoded += _varint(offset - previous)
        count, previous = count + 1, offset
    return bytes(_varint(count) + encoded)


def _decode_ascending(payload: Iterator[int], frontier: int) -> list[int]:
    offsets: list[int] = []
    position = frontier
    for _ in range(_read_varint(payload)):
        position += _read_varint(payload)
        offsets.append(position)
    return offsets


def _encode_notes(notes: Mapping[int, str], frontier: int) -> bytes:
    encoded = bytearray(_encode_ascending(sorted(notes), frontier))
    for offset in sorted(notes):
        note = notes[offset].encode()
        encoded += _varint(len(note)) + note
    return bytes(encoded)


def _decode_notes(payload: Iterator[int], frontier: int) -> dict[int, str]:
    notes: dict[int, str] = {}
    for offset in _decode_ascending(payload, frontier):
        size = _read_varint(payload)
        note = bytes(islice(payload, min(size, MAX_BYTES)))
        if len(note) < size:
            raise MetadataDamaged("cut short")
        try:
            notes[offset] = note.decode()
        except UnicodeDecodeError as error:
            raise MetadataDamaged("a note that is not UTF-8") from error
    return notes


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _read_varint(payload: Iterator[int]) -> int:
    number, shift = 0, 0
    while True:
        byte = next(payload)
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number
        shift += 7


def _base64(payload: bytes | bytearray) -> str:
    return base64.urlsafe_b64encode(payload).rstrip(b"=").decode()


def _checksum(version: str, payload: bytes | bytearray, frontier: int) -> str:
    return f"{zlib.crc32(bytes(payload), zlib.crc32(f'{version}:{frontier}'.encode())):08x}"
