"""Pieces of HTML. Everything that is not made here is escaped here: ids, keys and what systems say are foreign text."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

_UNSHOWABLE: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
"""Controls, those that turn the direction of writing, and what UTF-8 has no bytes for."""


@dataclass(frozen=True, slots=True)
class Html:
    """Markup that may go out as it is. Made in this package only, of constants and of what `text` returns."""

    markup: str


def text(words: object) -> Html:
    """Our own words, or a number."""
    return Html(html.escape(_UNSHOWABLE.sub("\N{REPLACEMENT CHARACTER}", str(words))))


def foreign(words: str | None) -> Html:
    """What somebody else wrote, whose direction of writing must not touch what stands beside it."""
    return Html("–") if words is None else Html(f"<bdi>{text(words).markup}</bdi>")


def joined(pieces: Iterable[Html], by: str = " ") -> Html:
    return Html(html.escape(by).join(piece.markup for piece in pieces))


def element(name: str, *inside: Html, css: str = "", role: str = "") -> Html:
    css = f' class="{css}"' if css else ""
    role = f' role="{role}"' if role else ""
    return Html(f"<{name}{css}{role}>{joined(inside, '').markup}</{name}>")


def time_of(at: float, now: float) -> Html:
    """In UTC, and how far that is from `now`; both in seconds since 1970."""
    moment = datetime.fromtimestamp(at, UTC)
    machine, human = moment.isoformat(timespec="seconds"), f"{moment:%Y-%m-%d %H:%M:%S} UTC"
    return Html(f'<time datetime="{machine}">{human}</time> <span>({relative(at - now)})</span>')


def relative(seconds: float) -> str:
    """Such as `in 5 s` or `2 min 3 s ago`."""
    if abs(seconds) < 0.5:
        return "now"
    return f"in {duration(seconds)}" if seconds > 0 else f"{duration(-seconds)} ago"


def duration(seconds: float) -> str:
    """In its two largest units."""
    whole = round(seconds)
    for size, unit, smaller_size, smaller in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // smaller_size
            return f"{whole // size} {unit} {rest} {smaller}" if rest else f"{whole // size} {unit}"
    return f"{whole} s"


def table(heading_id: str, columns: Sequence[str], rows: Iterable[Sequence[Html]]) -> Html:
    """A table whose first column names the row. Roles are told outright: on a narrow page the parts are laid out as
    blocks, and would lose them."""
    head = "".join(f'<th scope="col" role="columnheader">{text(column).markup}</th>' for column in columns)
    body = "".join(_row(columns, row) for row in rows)
    return Html(
        f'<table role="table" aria-labelledby="{heading_id}"><thead role="rowgroup"><tr role="row">{head}</tr></thead>'
        f'<tbody role="rowgroup">{body}</tbody></table>'
    )


def _row(columns: Sequence[str], row: Sequence[Html]) -> str:
    name, *cells = row
    told = "".join(
        f'<td role="cell" data-label="{text(column).markup}">{cell.markup}</td>'
        for column, cell in zip(columns[1:], cells, strict=True)
    )
    return f'<tr role="row"><th scope="row" role="rowheader">{name.markup}</th>{told}</tr>'
