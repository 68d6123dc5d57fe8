"""What a replay would do, before it does it: which letters, where to, and what to think of first."""

from __future__ import annotations

from typing import Final

from service.commands import console
from service.commands.dead_letters.rows import LetterTable
from service.commands.dead_letters.text import visible
from service.letters.letter import Reading
from service.letters.spool import Spool, Spooled
from service.systems.scsb_answers import APPLIED_OR_WRONG_SOURCE

SHOWN: Final = 20
"""Letters, and of each kind of trouble."""


def has_anything_to_send(spool: Spool, *, force: bool) -> bool:
    return spool.count_to_send(force=force) > 0


def show_forecast(spool: Spool, reading: Reading, *, force: bool) -> None:
    count = spool.count_to_send(force=force)
    if count:
        _show_letters(spool, reading, count, force=force)
    else:
        _say("There is nothing to replay.")
    if spool.replayed:
        what = "they are sent again" if force else "--force sends them again"
        _say(f"{spool.replayed} have been replayed already; {what}:")
        _list(spool.replayed, [f"{_place(one)}: {one.replayed}" for one in spool.with_replay(SHOWN)])
    if spool.copies:
        _say(f"{spool.copies} are copies of other letters of the same records, and are left out.")
    if spool.problems:
        _say(f"{spool.problems} cannot be replayed:")
        _list(spool.problems, [f"{_place(one)}: {one.problem}" for one in spool.with_problem(SHOWN)])
    _warn(spool, force=force)


def _show_letters(spool: Spool, reading: Reading, count: int, *, force: bool) -> None:
    LetterTable(console.out, reading).add([one.letter for one in spool.to_send(force=force, limit=SHOWN)])
    if count > SHOWN:
        _say(f"… and {count - SHOWN} more; `list` with the same filters shows them.")
    _say("")
    _say(f"{count} would be sent, in this order:")
    for topic, code, number in spool.counts_to_send(force=force):
        _say(f"  {number} {code} to {topic}")


def _warn(spool: Spool, *, force: bool) -> None:
    overtaken = spool.overtaken(force=force)
    if overtaken:
        _say("")
        _say(
            f"{overtaken} are of records under whose key others came later. Where those have succeeded, a replay puts "
            "an older state in the place of a newer one:"
        )
        _list(
            overtaken,
            [f"{_place(one)}: {one.later} later" for one in spool.first_overtaken(SHOWN, force=force)],
        )
    mistakable = spool.refused_with(sorted(APPLIED_OR_WRONG_SOURCE), force=force)
    if mistakable:
        _say("")
        _say(
            f"{mistakable} are transfers that SCSB refused because their source was not where they said. SCSB says the "
            "same of one that was applied, so that a replay which is answered so again counts as applied. Look at the "
            "items first."
        )


def _list(count: int, lines: list[str]) -> None:
    for line in lines:
        _say(f"  {line}")
    if count > len(lines):
        _say(f"  and {count - len(lines)} more")


def _place(one: Spooled) -> str:
    return f"{one.letter.place.partition}:{one.letter.place.offset}"


def _say(text: str) -> None:
    console.out.out(visible(text), highlight=False)
