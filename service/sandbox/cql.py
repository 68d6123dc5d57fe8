r"""The part of CQL that FOLIO's storage modules are asked in: `name=="x*" and source==local sortby name`.

Owns parsing and matching. Terms are compared without regard to case and accents; in a quoted term `*` stands for any
text, `?` for one character, and a backslash takes the meaning from the character behind it. Everything else is refused,
never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from service.sandbox.exchange import JsonValue
from service.sandbox.storage_text import fold

_TOKEN: Final = re.compile(
    r'\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<operator>==|<>|=)|(?P<paren>[()])|(?P<word>[^\s"=<>()]+))'
)
_FAILURE: Final = "org.folio.cql2pgjson.exception.QueryValidationException: org.z3950.zing.cql.CQLParseException: "

Record = Mapping[str, JsonValue]
Condition = Callable[[Record], bool]


class CqlError(Exception):
    """The query cannot be read; the text is what storage answers with 400."""


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query: `accepts` tells whether a record matches, `sort_by` names the property to order by, None for
    none.
    """

    accepts: Condition
    sort_by: str | None = None

    @staticmethod
    def parse(text: str) -> Query:
        """Reads a query; the empty one and cql.allRecords=1 take every record. Raises CqlError."""
        return _Parser(text).query() if text.strip() else Query(_everything)

    def select(self, records: Iterable[dict[str, JsonValue]]) -> list[dict[str, JsonValue]]:
        """The matching records, in the order asked for."""
        found = [record for record in records if self.accepts(record)]
        key = self.sort_by
        if key is not None:
            found.sort(key=lambda record: fold(str(record.get(key) or "")))
        return found


class _Parser:
    """Recursive descent over `clause ((and|or|not) clause)* [sortby property]`, evaluated from left to right as CQL has
    it.
    """

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        position = 0
        stripped = text.rstrip()
        while position < len(stripped):
            found = _TOKEN.match(stripped, position)
            if found is None:
                raise CqlError(f"{_FAILURE}unterminated or unexpected token: {stripped[position:]}")
            self._tokens.append((str(found.lastgroup), found.group(str(found.lastgroup))))
            position = found.end()

    def query(self) -> Query:
        accepts = self._condition() if not self._next_is("sortby") else _everything
        sort_by = None
        if self._next_is("sortby"):
            self._take()
            sort_by = self._term("expected index after sortby").partition("/")[0]
        if self._tokens:
            raise CqlError(f"{_FAILURE}junk after end: {self._tokens[0][1]}")
        return Query(accepts, sort_by)

    def _condition(self) -> Condition:
        left = self._clause()
        while self._tokens and self._tokens[0][0] == "word" and self._tokens[0][1].lower() in ("and", "or", "not"):
            operator = self._take()[1].lower()
            left = _combine(operator, left, self._clause())
        return left

    def _clause(self) -> Condition:
        if self._tokens and self._tokens[0] == ("paren", "("):
            self._take()
            inner = self._condition()
            if not self._tokens or self._take() != ("paren", ")"):
                raise CqlError(f"{_FAILURE}expected ')'")
            return inner
        index = self._term("expected index or term")
        if not self._tokens or self._tokens[0][0] != "operator":
            raise CqlError(f"{_FAILURE}expected relation after {index}")
        operator = self._take()[1]
        term = self._term("expected index or term")
        if index.lower() == "cql.allrecords":
            return _everything
        matches = matcher(term)
        if operator == "<>":
            return lambda record: not matches(record.get(index))
        return lambda record: matches(record.get(index))

    def _term(self, complaint: str) -> str:
        if not self._tokens:
            raise CqlError(f"{_FAILURE}{complaint}, got EOF")
        group, text = self._take()
        if group not in ("word", "quoted"):
            raise CqlError(f"{_FAILURE}{complaint}, got {text}")
        return text[1:-1] if group == "quoted" else text

    def _next_is(self, word: str) -> bool:
        return bool(self._tokens) and self._tokens[0][0] == "word" and self._tokens[0][1].lower() == word

    def _take(self) -> tuple[str, str]:
        return self._tokens.pop(0)


def _combine(operator: str, left: Condition, right: Condition) -> Condition:
    if operator == "and":
        return lambda record: left(record) and right(record)
    if operator == "or":
        return lambda record: left(record) or right(record)
    return lambda record: left(record) and not right(record)


def matcher(term: str) -> Callable[[JsonValue], bool]:
    """What a term accepts: wildcards and escapes as above, null never."""
    pieces: list[str] = []
    letters = iter(term)
    for letter in letters:
        if letter == "\\":
            pieces.append(re.escape(fold(next(letters, "\\"))))
        elif letter == "*":
            pieces.append(".*")
        elif letter == "?":
            pieces.append(".")
        else:
            pieces.append(re.escape(fold(letter)))
    pattern = re.compile("".join(pieces), re.DOTALL)
    return lambda value: value is not None and pattern.fullmatch(fold(str(value))) is not None


def _everything(_record: Record) -> bool:
    return True
