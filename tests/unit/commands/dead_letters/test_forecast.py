"""What is said before anything is sent, so that nobody is surprised afterwards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from service.commands.dead_letters.forecast import SHOWN, show_forecast
from service.domain.codes import Code
from service.domain.record import Partition
from service.letters.letter import Letter, Reading
from service.letters.spool import Spool
from tests.builders.letters import letter

ONE = Partition("holdings.changes", 1)


@pytest.fixture
def spool() -> Iterator[Spool]:
    with Spool() as made:
        yield made


def forecast(spool: Spool, capsys: pytest.CaptureFixture[str], *, force: bool = False) -> list[str]:
    show_forecast(spool, Reading("diku", 1_000_000), force=force)
    return capsys.readouterr().out.splitlines()


def fill(spool: Spool, count: int) -> list[Letter]:
    letters = [letter((0, number), origin=ONE, origin_offset=number) for number in range(count)]
    for one in letters:
        spool.add(one, None)
    return letters


def test_what_would_be_sent_is_shown_and_counted(spool: Spool, capsys: pytest.CaptureFixture[str]) -> None:
    fill(spool, SHOWN + 3)
    spool.add(letter((1, 0), origin=ONE, origin_offset=99, code=Code.UNAVAILABLE), None)

    told = forecast(spool, capsys)

    assert [line.split()[0] for line in told[1 : SHOWN + 1]] == [f"0:{number}" for number in range(SHOWN)]
    assert told[SHOWN + 1 :] == [
        "… and 4 more; `list` with the same filters shows them.",
        "",
        f"{SHOWN + 4} would be sent, in this order:",
        f"  {SHOWN + 3} refused to holdings.changes",
        "  1 unavailable to holdings.changes",
    ]


def test_what_has_been_replayed_and_what_cannot_be_is_told(spool: Spool, capsys: pytest.CaptureFixture[str]) -> None:
    [one] = fill(spool, 1)
    spool.note_replay(one.place, one.key, one.value, "t/0@9")
    for number in range(SHOWN + 2):
        spool.add(letter((5, number)), "no way")

    told = forecast(spool, capsys)

    assert told[:4] == [
        "There is nothing to replay.",
        "1 have been replayed already; --force sends them again:",
        "  0:0: t/0@9",
        f"{SHOWN + 2} cannot be replayed:",
    ]
    assert told[4:] == [*(f"  5:{number}: no way" for number in range(SHOWN)), "  and 2 more"]
    assert "1 would be sent, in this order:" in forecast(spool, capsys, force=True)


def test_an_older_state_in_the_place_of_a_newer_one_is_warned_of(
    spool: Spool, capsys: pytest.CaptureFixture[str]
) -> None:
    [one] = fill(spool, 1)
    spool.note_record(ONE, 7, one.key)

    told = forecast(spool, capsys)

    assert "1 are of records under whose key others came later." in told[-2]
    assert told[-1] == "  0:0: 1 later"


def test_a_refusal_that_would_pass_for_a_success_is_warned_of(spool: Spool, capsys: pytest.CaptureFixture[str]) -> None:
    spool.add(letter((0, 0), message="Source item is not under source holding", system="scsb", status=200), None)

    assert (
        "1 are transfers that SCSB refused because their source was not where they said." in forecast(spool, capsys)[-1]
    )


def test_without_a_trouble_there_is_no_warning(spool: Spool, capsys: pytest.CaptureFixture[str]) -> None:
    fill(spool, 1)

    assert forecast(spool, capsys)[-1] == "  1 refused to holdings.changes"
