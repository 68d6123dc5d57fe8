"""What the file of an export is like: how many rows, written how, broken where; in Python and as seed data.

Owns the description and its checks. It must not know how rows are made of it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, get_args

from service.sandbox.exchange import JsonValue
from service.sandbox.holdingsiq.reading import flag_at, number_at, optional_text_at
from service.sandbox.seeds import StateError, object_at, require_known

Fault: TypeAlias = Literal["few", "many", "unclosed", "undecodable"]

MAX_ROWS: Final = 1_000_000_000
MAX_COVERAGES: Final = 20
DELIMITERS: Final = (",", "\t", ";", "|")
LINE_ENDS: Final = ("\n", "\r\n")

_FAULTS: Final[tuple[Fault, ...]] = get_args(Fault)
_FIELDS: Final = (
    "rows", "seed", "coverages", "awkward", "delimiter", "lineEnd", "bom", "correctSpelling", "paddedHeader", "broken",
    "endsWithoutLineEnd", "content",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CsvFile:
    """The file of an export. In seed data the same names in camel case, `content` in base64.

    - `rows`: rows below the header; a title has `coverages` of them (1 to 20), one after the other.
    - `seed`: another one describes the same titles differently.
    - `awkward`: so many titles of each hundred, the first ones, have line breaks, quotes and delimiters in their cells.
    - `delimiter`: comma, tab, semicolon or bar. `line_end`: LF or CRLF. `bom`: the file begins with U+FEFF.
    - `correct_spelling`: KBART2's header says `preceding_…` in place of `preceeding_…`.
    - `padded_header`: header cells have blanks around their names; None: in STANDARD alone.
    - `broken`: rows by number (0 is the first) that lack cells ("few"), have too many ("many"), open a quote that is
      never closed ("unclosed"), or hold bytes that are not UTF-8 ("undecodable").
    - `ends_without_line_end`: the last row has none.
    - `content`: these bytes are the whole file, and all else is without meaning.
    """

    rows: int = 25
    seed: int = 0
    coverages: int = 1
    awkward: int = 0
    delimiter: str = ","
    line_end: str = "\n"
    bom: bool = False
    correct_spelling: bool = False
    padded_header: bool | None = None
    broken: Mapping[int, Fault] = field(default_factory=dict)
    ends_without_line_end: bool = False
    content: bytes | None = None

    def to_json(self) -> dict[str, JsonValue]:
        """The description as `read_csv_file` takes it."""
        return {
            "rows": self.rows,
            "seed": self.seed,
            "coverages": self.coverages,
            "awkward": self.awkward,
            "delimiter": self.delimiter,
            "lineEnd": self.line_end,
            "bom": self.bom,
            "correctSpelling": self.correct_spelling,
            "paddedHeader": self.padded_header,
            "broken": {str(number): fault for number, fault in self.broken.items()},
            "endsWithoutLineEnd": self.ends_without_line_end,
            "content": None if self.content is None else base64.b64encode(self.content).decode(),
        }


def read_csv_file(content: JsonValue, where: str) -> CsvFile:
    """A description out of seed data. Raises StateError that names the field."""
    entry = object_at(content, where)
    require_known(entry, _FIELDS, where)
    usual = CsvFile()
    padded = entry.get("paddedHeader")
    return CsvFile(
        rows=number_at(entry, "rows", where, usual.rows, most=MAX_ROWS),
        seed=number_at(entry, "seed", where, usual.seed),
        coverages=number_at(entry, "coverages", where, usual.coverages, least=1, most=MAX_COVERAGES),
        awkward=number_at(entry, "awkward", where, usual.awkward, most=100),
        delimiter=_one_of(entry, "delimiter", where, DELIMITERS),
        line_end=_one_of(entry, "lineEnd", where, LINE_ENDS),
        bom=flag_at(entry, "bom", where),
        correct_spelling=flag_at(entry, "correctSpelling", where),
        padded_header=None if padded is None else flag_at(entry, "paddedHeader", where),
        broken=_broken(entry.get("broken", {}), f"{where}.broken"),
        ends_without_line_end=flag_at(entry, "endsWithoutLineEnd", where),
        content=_bytes(optional_text_at(entry, "content", where), f"{where}.content"),
    )


def _one_of(entry: Mapping[str, JsonValue], name: str, where: str, known: tuple[str, ...]) -> str:
    value = entry.get(name, known[0])
    if not isinstance(value, str) or value not in known:
        raise StateError(f"{where}.{name}", f"one of {', '.join(map(repr, known))}")
    return value


def _broken(content: JsonValue, where: str) -> dict[int, Fault]:
    found: dict[int, Fault] = {}
    for number, fault in object_at(content, where).items():
        if not (number.isascii() and number.isdigit()):
            raise StateError(f"{where}.{number}", "the number of a row as its name")
        known = next((name for name in _FAULTS if name == fault), None)
        if known is None:
            raise StateError(f"{where}.{number}", f"one of {', '.join(map(repr, _FAULTS))}")
        found[int(number)] = known
    return found


def _bytes(text: str | None, where: str) -> bytes | None:
    try:
        return None if text is None else base64.b64decode(text, validate=True)
    except binascii.Error:
        raise StateError(where, "base64") from None
