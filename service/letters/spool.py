"""The letters of one replay, put in order on disk, so that memory stays the same however many there are.

A private database of SQLite's that is in no folder and is gone with the process. Nothing of it is needed again: what
was replayed is known from the input topics alone.
"""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

import orjson

from service.domain.record import Headers, Partition
from service.domain.replays import LetterPlace
from service.letters.letter import Letter

_CACHE_KIB: Final = 32_768
_SCHEMA: Final = """
PRAGMA temp_store = FILE;
PRAGMA journal_mode = OFF;
PRAGMA cache_size = -{cache};
CREATE TABLE letters (
    letter_topic TEXT, letter_partition INTEGER, letter_offset INTEGER, stored_at REAL, key BLOB, value BLOB,
    headers BLOB, topic TEXT, partition INTEGER, offset INTEGER, code TEXT, message TEXT, system TEXT, status TEXT,
    attempts TEXT, failed_at REAL,
    problem TEXT, replayed TEXT, since REAL, later INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX by_place ON letters (letter_partition, letter_offset);
CREATE INDEX by_origin ON letters (topic, partition, offset, letter_partition, letter_offset);
CREATE INDEX by_key ON letters (topic, partition, key, offset);
"""
_COLUMNS: Final = (
    "letter_topic, letter_partition, letter_offset, stored_at, key, value, headers, topic, partition, offset, code, "
    "message, system, status, attempts, failed_at"
)
_COPY: Final = "a copy of another letter of the same record"
_TO_SEND: Final = "problem IS NULL AND (replayed IS NULL OR ?)"


@dataclass(frozen=True, slots=True)
class Spooled:
    """A letter, and what was found out about it."""

    letter: Letter
    problem: str | None
    """Why it cannot be replayed."""
    replayed: str | None
    """Where its replay lies."""
    since: float | None
    """Before this moment no attempt at its event was made; None where that does not matter."""
    later: int
    """Records that came later under the same key, less those that are to be replayed themselves."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A partition from which letters came that may be replayed."""

    partition: Partition
    lowest_offset: int
    earliest_letter: float
    """Seconds since 1970, as `Letter.stored_at`."""


class SpoolFull(Exception):
    """The disk has no more room. The message says so."""


class Spool:
    """`with Spool() as spool`. Every method raises `SpoolFull` when there is no more room."""

    def __enter__(self) -> Self:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(_SCHEMA.format(cache=_CACHE_KIB))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def add(self, letter: Letter, problem: str | None) -> None:
        """A letter that is there already is not added again."""
        values = (
            *letter.place,
            letter.stored_at,
            letter.key,
            letter.value,
            _packed(letter.headers),
            *letter.origin,
            letter.origin_offset,
            letter.code,
            letter.message,
            letter.system,
            letter.status,
            letter.attempts,
            letter.failed_at,
            problem,
        )
        places = ", ".join("?" * len(values))
        self._execute(f"INSERT OR IGNORE INTO letters ({_COLUMNS}, problem) VALUES ({places})", values)  # noqa: S608

    def set_copies_aside(self) -> None:
        """Of several letters that tell of the same record the first stays; a worker in `at_least_once` may have said it
        twice."""
        self._execute(
            "UPDATE letters SET problem = ? WHERE problem IS NULL AND EXISTS (SELECT 1 FROM letters AS other "
            "WHERE other.topic = letters.topic AND other.partition = letters.partition "
            "AND other.offset = letters.offset AND other.key IS letters.key AND other.value IS letters.value "
            "AND (other.letter_partition, other.letter_offset) < (letters.letter_partition, letters.letter_offset))",
            (_COPY,),
        )

    def origins(self) -> list[Origin]:
        rows = self._execute(
            "SELECT topic, partition, min(offset), min(stored_at) FROM letters WHERE problem IS NULL "
            "GROUP BY topic, partition",
            (),
        )
        return [Origin(Partition(topic, partition), offset, stored) for topic, partition, offset, stored in rows]

    def note_replay(self, place: LetterPlace, key: bytes | None, value: bytes | None, where: str) -> None:
        """A record with this key and value lies at `where` and says that it is a replay of `place`."""
        self._execute(
            "UPDATE letters SET replayed = ? WHERE letter_topic = ? AND letter_partition = ? AND letter_offset = ? "
            "AND key IS ? AND value IS ?",
            (where, *place, key, value),
        )

    def note_record(self, partition: Partition, offset: int, key: bytes | None) -> None:
        """A record that is no replay was met here."""
        if key is None:
            return
        self._execute(
            "UPDATE letters SET later = later + 1 WHERE topic = ? AND partition = ? AND key = ? AND offset < ? "
            "AND NOT EXISTS (SELECT 1 FROM letters AS other WHERE other.topic = ? AND other.partition = ? "
            "AND other.offset = ? AND other.problem IS NULL)",
            (*partition, key, offset, *partition, offset),
        )

    def set_since(self, place: LetterPlace, since: float) -> None:
        self._execute(
            "UPDATE letters SET since = ? WHERE letter_topic = ? AND letter_partition = ? AND letter_offset = ?",
            (since, *place),
        )

    def to_send(self, *, force: bool, limit: int = -1) -> Iterator[Spooled]:
        """In the order in which their records came in; with `force` those too that have been replayed already. Nothing
        else may be asked of the spool until the last has been taken."""
        return self._spooled(_TO_SEND, (force,), limit)

    def count_to_send(self, *, force: bool) -> int:
        return self._count(_TO_SEND, (force,))

    def counts_to_send(self, *, force: bool) -> list[tuple[str, str, int]]:
        """How many go to which topic because of which code."""
        return self._execute(
            f"SELECT topic, code, count(*) FROM letters WHERE {_TO_SEND} GROUP BY topic, code "  # noqa: S608 - ours
            "ORDER BY topic, count(*) DESC, code",
            (force,),
        ).fetchall()

    def places_to_send(self, topic: str, *, force: bool) -> list[LetterPlace]:
        """Where those lie that are to be sent to a topic."""
        rows = self._execute(
            f"SELECT letter_topic, letter_partition, letter_offset FROM letters WHERE {_TO_SEND} AND topic = ?",  # noqa: S608
            (force, topic),
        )
        return [LetterPlace(*row) for row in rows]

    def at(self, place: LetterPlace) -> Spooled:
        return next(self._spooled("letter_topic = ? AND letter_partition = ? AND letter_offset = ?", tuple(place)))

    @property
    def replayed(self) -> int:
        """How many have been replayed already, of those that may be."""
        return self._count("problem IS NULL AND replayed IS NOT NULL", ())

    @property
    def problems(self) -> int:
        """How many cannot be replayed. Copies are none of them."""
        return self._count("problem <> ?", (_COPY,))

    @property
    def copies(self) -> int:
        return self._count("problem = ?", (_COPY,))

    def with_problem(self, limit: int) -> list[Spooled]:
        return list(self._spooled("problem <> ?", (_COPY,), limit))

    def with_replay(self, limit: int) -> list[Spooled]:
        return list(self._spooled("problem IS NULL AND replayed IS NOT NULL", (), limit))

    def overtaken(self, *, force: bool) -> int:
        """How many of those to send have later records under their key."""
        return self._count(f"{_TO_SEND} AND later > 0", (force,))

    def first_overtaken(self, limit: int, *, force: bool) -> list[Spooled]:
        return list(self._spooled(f"{_TO_SEND} AND later > 0", (force,), limit))

    def refused_with(self, messages: Sequence[str], *, force: bool) -> int:
        """How many of those to send bear one of these messages."""
        marks = ", ".join("?" * len(messages))
        return self._count(f"{_TO_SEND} AND message IN ({marks})", (force, *messages))

    def _spooled(self, where: str, values: Sequence[Any], limit: int = -1) -> Iterator[Spooled]:
        rows = self._execute(
            f"SELECT problem, replayed, since, later, {_COLUMNS} FROM letters WHERE {where} "  # noqa: S608 - ours
            "ORDER BY topic, partition, offset, letter_partition, letter_offset LIMIT ?",
            (*values, limit),
        )
        for problem, replayed, since, later, *columns in rows:
            yield Spooled(_letter(columns), problem, replayed, since, later)

    def _count(self, where: str, values: Sequence[Any]) -> int:
        ((count,),) = self._execute(f"SELECT count(*) FROM letters WHERE {where}", values)  # noqa: S608 - ours
        return int(count)

    def _execute(self, statement: str, values: Sequence[Any]) -> sqlite3.Cursor:
        try:
            return self._db.execute(statement, values)
        except sqlite3.OperationalError as error:
            raise SpoolFull(f"the letters cannot be put in order on disk: {error}") from error


def _letter(columns: Sequence[Any]) -> Letter:
    place, stored_at, key, value, headers = LetterPlace(*columns[:3]), *columns[3:7]
    topic, partition, offset, *reason = columns[7:]
    return Letter(place, stored_at, key, value, _unpacked(headers), Partition(topic, partition), offset, *reason)


def _packed(headers: Headers) -> bytes:
    return orjson.dumps(
        [(name, None if value is None else base64.b64encode(value).decode()) for name, value in headers]
    )


def _unpacked(packed: bytes) -> Headers:
    return tuple((name, None if value is None else base64.b64decode(value)) for name, value in orjson.loads(packed))
