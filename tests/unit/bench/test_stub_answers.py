"""What the stub remembers: enough for every event that is under way, and no more the longer it serves."""

from __future__ import annotations

from typing import Any

import orjson

from bench.stub_answers import MOST_REMEMBERED, Answers


def shown(answers: Answers, resource_id: str) -> dict[str, Any]:
    answer = answers.answer(b"GET", f"/eholdings/resources/{resource_id}".encode(), b"")
    attributes: dict[str, Any] = orjson.loads(answer.partition(b"\r\n\r\n")[2])["data"]["attributes"]
    return attributes


def put(answers: Answers, resource_id: str) -> None:
    path = f"/eholdings/resources/{resource_id}".encode()
    answers.answer(b"PUT", path, orjson.dumps({"data": {"attributes": {"isSelected": False}}}))
    answers.answer(b"PUT", path + b"/tags", orjson.dumps({"data": {"attributes": {"tags": {"tagList": ["law"]}}}}))


def told(attributes: dict[str, Any]) -> tuple[bool, list[str]]:
    return attributes["isSelected"], attributes["tags"]["tagList"]


def test_a_resource_shows_what_was_put_to_it() -> None:
    answers = Answers()

    put(answers, "1-1-1")

    assert told(shown(answers, "1-1-1")) == (False, ["law"])
    assert told(shown(answers, "1-1-2")) == (True, [])


def test_the_resources_that_were_asked_for_last_are_remembered_and_no_others() -> None:
    answers = Answers()
    for resource_id in ("1-1-1", "1-1-2"):
        put(answers, resource_id)
    for other in range(MOST_REMEMBERED - 2):
        shown(answers, f"2-2-{other}")

    shown(answers, "1-1-1")
    shown(answers, "3-3-3")

    assert told(shown(answers, "1-1-1")) == (False, ["law"])
    assert told(shown(answers, "1-1-2")) == (True, [])
