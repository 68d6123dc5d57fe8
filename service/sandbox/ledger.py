"""The ledger: every call that reached the sandbox, in the order of arrival, with what became of it.

Tests and the demonstration judge the relay by it. Secrets are masked before they are stored, so a ledger may be
printed. It must not decide anything: no fault, no answer depends on it.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

import orjson

from service.sandbox.exchange import Call, JsonValue

MASK: Final = "***"
SECRET_HEADERS: Final = frozenset(
    {"authorization", "cookie", "x-okapi-token", "api_key", "api-key", "x-api-key", "x-okapi-refresh-token"}
)

SECRET_PARAMETERS: Final = frozenset({"x-amz-signature", "x-amz-security-token", "x-amz-credential"})

_EPOCH_SECONDS: Final = time.time() - time.monotonic()


def now_seconds() -> float:
    """Epoch seconds that never run backwards: the wall clock at import, carried on by the monotonic clock."""
    return _EPOCH_SECONDS + time.monotonic()


@dataclass(slots=True)
class Entry:
    """One call. `status` is None while the call runs and for ever when its connection was dropped without an answer.

    `applied`: the system's handler ran and did not refuse (status below 400), whatever the client was told afterwards.
    `finished_at` is None while the call runs. Both times are epoch seconds on one monotonic scale.
    """

    seq: int
    system: str
    call: Call
    started_at: float
    finished_at: float | None = None
    status: int | None = None
    applied: bool = False
    fault: str | None = None
    _describe: Callable[[Call], tuple[str, ...]] = field(default=lambda _call: (), repr=False)
    _entities: tuple[str, ...] | None = field(default=None, repr=False)

    @property
    def method(self) -> str:
        """HTTP method."""
        return self.call.method

    @property
    def path(self) -> str:
        """Decoded path below the system's base."""
        return self.call.path

    @property
    def body(self) -> JsonValue:
        """The body: parsed when it is JSON, text otherwise, None when there was none."""
        return _readable(self.call.body)

    @property
    def entities(self) -> tuple[str, ...]:
        """Ids the call was about, in the words of its system."""
        if self._entities is None:
            self._entities = self._describe(self.call)
        return self._entities

    def to_json(self) -> dict[str, JsonValue]:
        """The entry as the control API shows it."""
        headers: list[JsonValue] = [[name, value] for name, value in self.call.headers]
        return {
            "seq": self.seq,
            "system": self.system,
            "method": self.call.method,
            "path": self.call.path,
            "query": dict(self.call.query),
            "tenant": self.call.tenant,
            "headers": headers,
            "body": self.body,
            "status": self.status,
            "startedAt": self.started_at,
            "finishedAt": self.finished_at,
            "entities": list(self.entities),
            "applied": self.applied,
            "fault": self.fault,
            "traceparent": self.call.header("traceparent"),
        }


class Ledger:
    """Ordered entries, bounded in number and in bytes of bodies: the oldest go first. Sequence numbers start at 1."""

    def __init__(self, max_entries: int = 200_000, max_body_bytes: int = 512 * 1024 * 1024) -> None:
        self._entries: deque[Entry] = deque()
        self._max_entries = max_entries
        self._max_body_bytes = max_body_bytes
        self._body_bytes = 0
        self._next_seq = 1
        self._counts: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(tuple(self._entries))

    @property
    def last_seq(self) -> int:
        """Number of the newest call ever recorded, 0 before the first; grows on after `clear`."""
        return self._next_seq - 1

    @property
    def counts(self) -> dict[str, int]:
        """Calls by system since the start or the last `clear`, those already dropped from the ledger included."""
        return dict(self._counts)

    def open(self, system: str, call: Call, describe: Callable[[Call], tuple[str, ...]] | None = None) -> Entry:
        """Records the arrival of a call, secrets masked; the server completes the entry through `close`."""
        entry = Entry(self._next_seq, system, _without_secrets(system, call), now_seconds())
        if describe is not None:
            entry._describe = describe
        self._next_seq += 1
        self._counts[system] += 1
        self._entries.append(entry)
        self._body_bytes += len(entry.call.body)
        while len(self._entries) > self._max_entries or (self._body_bytes > self._max_body_bytes and len(self) > 1):
            self._body_bytes -= len(self._entries.popleft().call.body)
        return entry

    def close(self, entry: Entry, status: int | None) -> None:
        """Records what the client was told; None for a connection dropped without an answer."""
        entry.status = status
        entry.finished_at = now_seconds()

    def entries(self, system: str | None = None, after: int = 0, limit: int | None = None) -> list[Entry]:
        """Entries with a number above `after`, oldest first, of one system or of all."""
        if not self._entries:
            return []
        skipped = max(0, after + 1 - self._entries[0].seq)
        wanted = (entry for entry in islice(self._entries, skipped, None) if system is None or entry.system == system)
        return list(islice(wanted, limit))

    def clear(self) -> None:
        """Forgets every entry and every count; numbers go on, so that a reader who asks `after` misses nothing."""
        self._entries.clear()
        self._counts.clear()
        self._body_bytes = 0


def _without_secrets(system: str, call: Call) -> Call:
    headers = tuple((name, MASK if name.lower() in SECRET_HEADERS else value) for name, value in call.headers)
    query = {name: MASK if name.lower() in SECRET_PARAMETERS else value for name, value in call.query.items()}
    body = _without_password(call.body) if system == "login" and call.body else call.body
    return replace(call, headers=headers, query=query, body=body)


def _without_password(body: bytes) -> bytes:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return MASK.encode()
    if isinstance(content, dict) and "password" in content:
        return orjson.dumps({**content, "password": MASK})
    return body


def _readable(body: bytes) -> JsonValue:
    if not body:
        return None
    try:
        content: JsonValue = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode(errors="replace")
    return content
