"""The table of what is fuzzed: whatever comes in from outside, and what must become of it."""

from __future__ import annotations

import zlib
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from hypothesis import strategies as st

from service.engine.commit_metadata import VERSION, MetadataDamaged, decode, encode
from service.engine.offsets import Position
from service.systems.retry_after import retry_after_seconds
from tests.fuzz.calling import attempts, judge_attempt, judge_login, judge_resolution
from tests.fuzz.hostile import ODD_TEXTS
from tests.fuzz.judging import judge_record, judge_wait
from tests.fuzz.near_answers import RETRY_AFTERS, scripts
from tests.fuzz.near_events import any_data, any_records, near_events


@dataclass(frozen=True, slots=True)
class Target:
    """`judge` takes an input that `inputs` makes and gives the kind of what became of it; it raises where something
    broke. `share` is the target's part of all inputs, in hundredths."""

    name: str
    share: int
    inputs: st.SearchStrategy[Any]
    judge: Callable[[Any], str | Awaitable[str]]


def _judge_metadata(given: tuple[int, str]) -> str:
    frontier, text = given
    try:
        position = decode(frontier, text)
    except MetadataDamaged:
        return "damaged"
    assert position.frontier == frontier
    assert all(offset >= frontier for offset in (*position.attempted, *position.progress))
    return "read"


def _judge_retry_after(given: tuple[str, float]) -> str:
    return judge_wait(retry_after_seconds(*given))


def _sealed(payload: bytes) -> tuple[int, str]:
    """Metadata whose checksum holds, whatever its payload."""
    body = urlsafe_b64encode(payload).rstrip(b"=").decode()
    return 7, f"{VERSION}.{body}.{zlib.crc32(payload, zlib.crc32(f'{VERSION}:7'.encode())):08x}"


def _sealed_count(form: int, count: int, rest: bytes) -> tuple[int, str]:
    """Metadata that speaks of so many runs, or bytes, and has others."""
    digits = [count >> shift & 0x7F for shift in range(0, max(count.bit_length(), 1), 7)]
    return _sealed(bytes((form, *(digit | 0x80 for digit in digits[:-1]), digits[-1])) + rest)


_written = st.builds(
    lambda attempted, gaps: encode(Position(7, tuple((9 + 4 * n, 11 + 4 * n) for n in gaps), frozenset(attempted), {})),
    st.sets(st.integers(7, 2000), max_size=20),
    st.lists(st.integers(0, 300), unique=True, max_size=20).map(sorted),
)
_metadata = st.one_of(
    st.tuples(st.integers(0, 2**63), st.text(max_size=40) | st.sampled_from(ODD_TEXTS)),
    st.binary(max_size=60).map(_sealed),
    st.builds(
        lambda byte, times: _sealed(bytes((byte,)) * times), st.integers(0, 255), st.sampled_from((1, 100, 3000))
    ),
    st.builds(_sealed_count, st.sampled_from((0, 1, 2)), st.sampled_from((0, 5, 2**31, 2**63, 2**70)), st.binary()),
    st.tuples(st.sampled_from((7, 8)), _written),
    st.tuples(st.just(7), st.builds(lambda text, at: text[: int(len(text) * at)], _written, st.floats(0, 1))),
)
_headers = st.one_of(
    st.sampled_from(RETRY_AFTERS), st.text(max_size=40), st.text("0123456789:,+- GMTWedOctz", max_size=40)
)

TARGETS: Final = (
    Target("record: any bytes", 7, any_records, judge_record),
    Target("record: any data", 7, any_data(), judge_record),
    Target("record: nearly holdings.changed", 16, near_events("holdings.changed"), judge_record),
    Target("record: nearly holdings.export.requested", 4, near_events("holdings.export.requested"), judge_record),
    Target("record: nearly holdings.transfer.requested", 10, near_events("holdings.transfer.requested"), judge_record),
    Target("answers of holdingsiq", 8, attempts("holdingsiq"), judge_attempt),
    Target("answers of eholdings", 10, attempts("eholdings"), judge_attempt),
    Target("answers of inventory", 10, attempts("inventory"), judge_attempt),
    Target("answers of holdings-sources", 7, attempts("holdings-sources"), judge_attempt),
    Target("answers of scsb", 7, attempts("scsb"), judge_attempt),
    Target("answers to a login", 4, scripts("login"), judge_login),
    Target("a holdings source's name", 3, st.tuples(st.booleans(), scripts("holdings-sources")), judge_resolution),
    Target("metadata of a commit", 4, _metadata, _judge_metadata),
    Target("Retry-After", 3, st.tuples(_headers, st.sampled_from((0.0, 1.7e9, 1e12))), _judge_retry_after),
)
