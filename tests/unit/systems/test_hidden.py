"""Answers that repeat our credentials."""

from __future__ import annotations

import pytest

from service.systems.hidden import SHORTEST_CHARACTERS, secret_bytes, secrets_in, without_secrets
from service.systems.http import Reply
from tests.unit.systems.scripted import ScriptedTransport, answer, http_client

SECRET = "open-sesame-42"


@pytest.mark.parametrize("status", [200, 401, 500])
@pytest.mark.parametrize("name", ["X-Okapi-Token", "api_key", "X-Api-Key", "Authorization"])
async def test_a_credential_that_an_answer_repeats_is_masked_whatever_stands_around_it(name: str, status: int) -> None:
    transport = ScriptedTransport(*[answer(status, {"message": f"{SECRET}? ({SECRET})"}) for _ in range(2)])

    own = await http_client(transport).send("get", "GET", "/", headers=((name, SECRET),), read_seconds=1)
    fixed = await http_client(transport, headers=((name, SECRET),)).send("get", "GET", "/", read_seconds=1)

    for reply in (own, fixed):
        assert isinstance(reply, Reply)
        assert reply.json() == {"message": "[hidden]? ([hidden])"}


async def test_what_is_hidden_in_the_body_is_masked_too() -> None:
    transport = ScriptedTransport(answer(422, f"wrong password {SECRET}"))

    reply = await http_client(transport).send("login", "POST", "/", hidden=(SECRET,), read_seconds=1)

    assert isinstance(reply, Reply)
    assert reply.words == "wrong password [hidden]"


def test_other_headers_are_no_secrets() -> None:
    assert secrets_in([("X-Okapi-Tenant", "a-tenant-of-ours"), ("Accept", "application/json")]) == ()


def test_a_secret_too_short_to_be_told_from_chance_is_left() -> None:
    short = "x" * (SHORTEST_CHARACTERS - 1)

    assert without_secrets(b"a" + short.encode(), secret_bytes([short])) == b"a" + short.encode()
