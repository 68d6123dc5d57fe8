"""Custom coverages of an eholdings resource: real days, in order, apart from each other.

mod-kb-ebsco-java neither sorts coverages nor checks that they end after they begin; its knowledge base refuses or
misreads the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import Annotated, Final, NamedTuple, NotRequired, TypeAlias

from pydantic import AfterValidator, Field, WrapValidator, with_config
from pydantic_core.core_schema import ValidatorFunctionWrapHandler
from typing_extensions import TypedDict

from service.domain.events.objections import Location, Objection, refuse_together
from service.domain.events.shapes import CLOSED, Many

_NO_DAY: Final = "must be a real day written YYYY-MM-DD"
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

_DAY_CHARACTERS: Final = 10


@with_config(CLOSED)
class Coverage(TypedDict):
    """A period of full text; both days are part of it."""

    beginCoverage: Annotated[
        str, Field(description="First day, YYYY-MM-DD.", examples=["2003-01-01"], json_schema_extra={"format": "date"})
    ]
    endCoverage: NotRequired[
        Annotated[
            str | None,
            Field(
                description="Last day, YYYY-MM-DD. Empty, null or absent: still going on; only for the newest.",
                examples=["2010-12-31", ""],
            ),
        ]
    ]


class _Period(NamedTuple):
    """A coverage whose days could be read. `position` is its place in the list as it came; `end` None is open."""

    begin: date
    end: date | None
    position: int


def coverage_objections(raw: object) -> Iterator[Objection]:
    """Rule for a list of coverages as it came, in any order. Two that share a day overlap."""
    if not isinstance(raw, list):
        return
    periods: list[_Period] = []
    for index, entry in enumerate(raw):
        if isinstance(entry, dict) and entry:
            period, objections = _read(entry, index)
            yield from objections
            if period is not None:
                periods.append(period)
    yield from _overlaps(sorted(periods, key=lambda period: period.begin))


def _read(entry: Mapping[str, object], index: int) -> tuple[_Period | None, list[Objection]]:
    begin, end = entry.get("beginCoverage"), entry.get("endCoverage")
    first = _day(begin)
    last = _day(end)
    objections: list[Objection] = []
    if first is None and isinstance(begin, str):
        objections.append(Objection((index, "beginCoverage"), _NO_DAY))
    if last is None and end and isinstance(end, str):
        objections.append(Objection((index, "endCoverage"), _NO_DAY))
    if first is None or (end not in (None, "") and last is None):
        return None, objections
    if last is not None and last < first:
        return None, [*objections, Objection((index, "endCoverage"), f"must not lie before beginCoverage ({first})")]
    return _Period(first, last, index), objections


def _overlaps(oldest_first: list[_Period]) -> Iterator[Objection]:
    if len(oldest_first) < 2:
        return
    reaching = oldest_first[0]
    for period in oldest_first[1:]:
        if reaching.end is None:
            where: Location = (reaching.position, "endCoverage")
            yield Objection(where, f"only the newest coverage may be open-ended; [{period.position}] begins no earlier")
            reaching = period
            continue
        if period.begin <= reaching.end:
            yield Objection((period.position,), f"overlaps [{reaching.position}], which ends on {reaching.end}")
        if period.end is None or period.end > reaching.end:
            reaching = period


def _day(text: object) -> date | None:
    return _read_day(text) if isinstance(text, str) and len(text) == _DAY_CHARACTERS else None


@lru_cache(maxsize=1024)
def _read_day(text: str) -> date | None:
    """Most coverages begin and end with a year, so the same days come again and again."""
    if not _DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _refuse_contradictions(raw: object, validate: ValidatorFunctionWrapHandler) -> list[Coverage]:
    validated: list[Coverage] = refuse_together(raw, validate, coverage_objections)
    return validated


def _newest_first(coverages: list[Coverage]) -> list[Coverage]:
    """The form in which the system wants them: newest first, both days always there, an open end as ""."""
    complete: list[Coverage] = [
        {"beginCoverage": c["beginCoverage"], "endCoverage": c.get("endCoverage") or ""} for c in coverages
    ]
    return sorted(complete, key=lambda coverage: coverage["beginCoverage"], reverse=True)


Coverages: TypeAlias = Annotated[
    Many[Coverage],
    WrapValidator(_refuse_contradictions),
    AfterValidator(_newest_first),
]
