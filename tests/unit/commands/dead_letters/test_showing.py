"""What is said of one dead letter, and the JSON of a list."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from service.commands.dead_letters.rows import as_json
from service.commands.dead_letters.showing import SHOWN_CHARACTERS, describe
from service.domain.advice import ADVICE
from service.domain.codes import Code
from service.letters.letter import Reading
from tests.builders.letters import CONTENT_TYPE, event, letter

READING = Reading("diku", 1_000_000)


def described(*, whole: bool = False, **members: Any) -> str:
    subject = letter((3, 17), **members)
    return "\n".join(describe(subject, READING.event(subject), whole=whole))


def test_everything_is_told_that_is_known() -> None:
    shown = described(message="Start date must\nprecede end date", headers=(*CONTENT_TYPE, ("x", None), ("y", b"\xff")))

    assert [line.split(maxsplit=1)[1] for line in shown.splitlines()[:1]] == ["3:17 of holdings.dead-letters"]
    for line in (
        "failed at    2023-11-14T22:13:21.250Z",
        "code         refused",
        "what to do   Read them; mend the record.",
        "system       eholdings",
        "status       422",
        "attempts     3",
        "words        Start date must\\nprecede end date",
        "came from    holdings.changes/3@42",
        "event id     e1",
        "event type   holdings.changed",
        "tenant       diku",
        "key          1-2-3",
        "headers (3)",
        "  content-type: application/cloudevents+json",
        "  x: (no value)",
        "  y: 0xff",
        '  "specversion": "1.0",',
    ):
        assert line in shown.splitlines()


@pytest.mark.parametrize("code", [code for code in Code if code is not Code.NOT_ATTEMPTED])
def test_every_code_comes_with_what_to_do(code: Code) -> None:
    assert f"what to do   {ADVICE[code].remedy}" in described(code=code).splitlines()


def test_a_secret_is_not_shown_even_where_somebody_else_put_it() -> None:
    assert "hush" not in described(headers=(("x-okapi-token", b"hush"),))


def test_a_large_event_is_cut_unless_the_whole_is_asked_for() -> None:
    value = b"x" * (SHOWN_CHARACTERS + 5)

    assert described(value=value).endswith("\n… and 5 more characters; --whole shows all of it")
    assert described(value=value, whole=True).endswith("x" * (SHOWN_CHARACTERS + 5))


def test_nothing_in_a_letter_steers_the_terminal() -> None:
    shown = described(
        message="\x1b[2J", key=b"\x1b", value=event("\x1b]0;x\x07"), headers=(("\x1b", b"\x1b"),), system="\x1b"
    )

    assert shown.replace("\n", "").isprintable()


def test_a_line_of_json_tells_the_same() -> None:
    assert orjson.loads(as_json(letter((3, 17), message="no"), READING)) == {
        "letter": "3:17",
        "partition": 3,
        "offset": 17,
        "failedAt": "2023-11-14T22:13:21.250Z",
        "code": "refused",
        "system": "eholdings",
        "status": 422,
        "attempts": 3,
        "message": "no",
        "source": {"topic": "holdings.changes", "partition": 3, "offset": 42},
        "key": "1-2-3",
        "event": {"id": "e1", "source": "/tests", "type": "holdings.changed"},
        "tenant": "diku",
        "targets": ["1-2-3"],
        "bytes": len(event()),
    }


def test_a_line_of_json_is_one_line_whatever_is_in_it() -> None:
    line = as_json(letter(key=b"\xff", message="a\u2028\x7f\U000e0001b", value=b"\x00"), READING)

    assert line.isprintable()
    told = orjson.loads(line)
    assert (told["message"], told["key"], told["keyBase64"]) == ("a\u2028\x7f\U000e0001b", None, "/w==")
