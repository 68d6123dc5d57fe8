"""Tokens: one login however many wait, renewed in time, and never so often refused that the account is blocked."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from service.systems.http import NotSent
from service.systems.tokens import (
    MAX_REFUSED_LOGINS,
    PAUSE_AFTER_REFUSED_LOGIN_SECONDS,
    Credentials,
    StaticToken,
    TenantTokens,
    Token,
    UserPassword,
)
from service.systems.trouble import CredentialsRefused
from tests.unit.systems.scripted import FakeTime, Scripted, ScriptedTransport, answer, http_client

TENANT = "diku"
WRONG = {"errors": [{"message": "Wrong password", "code": "wrong.username.or.wrong.password.or.account.blocked"}]}


def logged_in(
    token: str, *, life_seconds: int | None = 600, expiration: str = "2026-11-24T00:00:00Z"
) -> httpx.Response:
    max_age = "" if life_seconds is None else f"Max-Age={life_seconds}; "
    headers = [
        ("Set-Cookie", f"folioRefreshToken=r; {max_age}Path=/authn; Secure; HttpOnly; SameSite=None"),
        ("Set-Cookie", f"folioAccessToken={token}; {max_age}Path=/; Secure; HttpOnly; SameSite=None"),
    ]
    body = b'{"accessTokenExpiration": "%s"}' % expiration.encode()
    return httpx.Response(201, headers=headers, content=body)


def tokens_of(time: FakeTime, *answers: Scripted) -> tuple[TenantTokens, ScriptedTransport]:
    transport = ScriptedTransport(*answers)
    credentials: dict[str, Credentials] = {TENANT: UserPassword("relay", "secret"), "fixed": StaticToken("given")}
    return TenantTokens(http_client(transport, "login"), credentials, login_seconds=15.0, clocks=time.clocks), transport


async def value_of(tokens: TenantTokens, tenant: str = TENANT) -> str:
    token = await tokens.token(tenant, None)
    assert isinstance(token, Token), token
    return token.value


async def test_a_login_names_the_tenant_and_takes_the_token_from_a_secure_cookie() -> None:
    tokens, transport = tokens_of(FakeTime(), logged_in("t1"))

    assert await value_of(tokens) == "t1"

    assert transport.calls == ["POST /base/authn/login-with-expiry"]
    assert transport.body(0) == {"username": "relay", "password": "secret"}
    assert transport.requests[0].headers["X-Okapi-Tenant"] == TENANT
    assert "X-Okapi-Token" not in transport.requests[0].headers


async def test_one_login_serves_all_who_wait() -> None:
    tokens, transport = tokens_of(FakeTime(), logged_in("t1"))

    values = await asyncio.gather(*(value_of(tokens) for _ in range(100)))

    assert set(values) == {"t1"}
    assert len(transport.calls) == 1


async def test_a_caller_that_is_cancelled_does_not_end_the_login_of_the_others() -> None:
    tokens, transport = tokens_of(FakeTime(), logged_in("t1"))
    first = asyncio.create_task(value_of(tokens))
    second = asyncio.create_task(value_of(tokens))
    await asyncio.sleep(0)

    first.cancel()

    assert await second == "t1"
    assert len(transport.calls) == 1


async def renewed(tokens: TenantTokens, transport: ScriptedTransport, *, logins: int) -> str:
    """The token in use once so many logins have ended."""
    async with asyncio.timeout(5):
        while len(transport.calls) < logins:
            await value_of(tokens)
            await asyncio.sleep(0)
    await settle()
    return await value_of(tokens)


async def settle() -> None:
    """Lets a login end that has begun."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.mark.parametrize("life_seconds", [100, 600, 86_400])
async def test_a_token_is_renewed_ahead_of_its_end_and_nobody_waits_for_it(life_seconds: int) -> None:
    time = FakeTime()
    tokens, transport = tokens_of(time, logged_in("t1", life_seconds=life_seconds), logged_in("t2"))
    await value_of(tokens)

    time.now += 0.79 * life_seconds
    assert await value_of(tokens) == "t1"
    await settle()
    assert len(transport.calls) == 1
    time.now += 0.02 * life_seconds
    assert await asyncio.gather(*(value_of(tokens) for _ in range(10))) == ["t1"] * 10
    assert await renewed(tokens, transport, logins=2) == "t2"


async def test_without_max_age_the_expiration_in_the_body_counts() -> None:
    time = FakeTime(now=1_795_478_400.0)  # 2026-11-24T00:00:00Z
    tokens, transport = tokens_of(
        time, logged_in("t1", life_seconds=None, expiration="2026-11-24T00:01:40Z"), logged_in("t2")
    )
    await value_of(tokens)

    time.now += 79
    await value_of(tokens)
    await settle()
    assert len(transport.calls) == 1
    time.now += 2
    assert await renewed(tokens, transport, logins=2) == "t2"


async def test_a_token_that_has_ended_is_waited_for() -> None:
    time = FakeTime()
    tokens, _ = tokens_of(time, logged_in("t1", life_seconds=100), logged_in("t2"))
    await value_of(tokens)

    time.now += 100
    assert await value_of(tokens) == "t2"


async def test_a_renewal_that_stumbles_leaves_the_old_token_in_use_to_its_end() -> None:
    time = FakeTime()
    tokens, transport = tokens_of(time, logged_in("t1", life_seconds=100), answer(503), answer(503))
    await value_of(tokens)

    time.now += 85
    assert await renewed(tokens, transport, logins=2) == "t1"
    await value_of(tokens)
    await settle()
    assert len(transport.calls) == 2, "the next login was not put off"
    time.now += 15
    assert isinstance(await tokens.token(TENANT, None), NotSent)


async def test_a_renewal_that_is_refused_leaves_the_old_token_in_use_to_its_end() -> None:
    time = FakeTime()
    tokens, transport = tokens_of(time, logged_in("t1", life_seconds=100), answer(422, WRONG))
    await value_of(tokens)

    time.now += 85
    assert await renewed(tokens, transport, logins=2) == "t1"
    time.now += 15
    assert isinstance(await tokens.token(TENANT, None), CredentialsRefused)
    assert len(transport.calls) == 2


async def test_invalidating_forgets_exactly_the_token_that_was_refused() -> None:
    tokens, transport = tokens_of(FakeTime(), logged_in("t1"), logged_in("t2"))
    first = await tokens.token(TENANT, None)
    assert isinstance(first, Token)

    tokens.invalidate(TENANT, first)
    assert await value_of(tokens) == "t2"
    tokens.invalidate(TENANT, first)
    assert await value_of(tokens) == "t2"
    assert len(transport.calls) == 2


@pytest.mark.parametrize(
    ("scripted", "status"),
    [
        (answer(500, "broken"), 500),
        (answer(503, "down"), 503),
        (answer(429, "slow down", {"Retry-After": "3"}), 429),
        (answer(201, {}), 201),
        (httpx.ReadTimeout("late"), None),
        (httpx.ConnectError("refused"), None),
    ],
)
async def test_a_login_that_stumbles_means_that_the_call_was_not_sent(scripted: Scripted, status: int | None) -> None:
    tokens, _ = tokens_of(FakeTime(), scripted)

    result = await tokens.token(TENANT, None)

    assert isinstance(result, NotSent)
    assert (result.status, result.message.startswith("login: ")) == (status, True)


async def test_a_refused_login_is_not_tried_again_before_the_pause_is_over() -> None:
    time = FakeTime()
    tokens, transport = tokens_of(time, answer(422, WRONG), logged_in("t1"))

    for _ in range(50):
        assert isinstance(await tokens.token(TENANT, None), CredentialsRefused)
    assert len(transport.calls) == 1
    time.now += PAUSE_AFTER_REFUSED_LOGIN_SECONDS
    assert await value_of(tokens) == "t1"


async def test_after_two_refused_logins_the_account_is_left_alone_for_ever() -> None:
    time = FakeTime()
    tokens, transport = tokens_of(time, *(answer(422, WRONG) for _ in range(MAX_REFUSED_LOGINS)))

    for _ in range(20):
        refused = await tokens.token(TENANT, None)
        assert isinstance(refused, CredentialsRefused)
        assert (refused.status, refused.message) == (422, "login refused: Wrong password")
        time.now += PAUSE_AFTER_REFUSED_LOGIN_SECONDS + 1
    assert len(transport.calls) == MAX_REFUSED_LOGINS


async def test_a_login_that_is_refused_otherwise_is_tried_again_after_every_pause() -> None:
    time = FakeTime()
    tokens, transport = tokens_of(time, *(answer(404, "No suitable module found") for _ in range(5)))

    for _ in range(5):
        assert isinstance(await tokens.token(TENANT, None), CredentialsRefused)
        time.now += PAUSE_AFTER_REFUSED_LOGIN_SECONDS
    assert len(transport.calls) == 5


async def test_a_given_token_stays_in_use_since_no_other_can_be_had() -> None:
    tokens, transport = tokens_of(FakeTime())
    token = await tokens.token("fixed", None)
    assert isinstance(token, Token)

    assert not tokens.invalidate("fixed", token)

    assert await value_of(tokens, "fixed") == "given"
    assert transport.calls == []


async def test_tenants_have_tokens_of_their_own() -> None:
    tokens, _ = tokens_of(FakeTime(), logged_in("t1"))

    assert (await value_of(tokens), await value_of(tokens, "fixed")) == ("t1", "given")
    assert tokens.knows("fixed")
    assert not tokens.knows("other")


def test_secrets_stay_out_of_representations() -> None:
    shown = repr((UserPassword("relay", "hunter2"), StaticToken("hunter2"), Token("hunter2", 1.0, 2.0)))

    assert "hunter2" not in shown


@pytest.mark.parametrize("value", ["t\u00e9", "a b", "a\tb", "\x7f"])
async def test_a_token_that_no_header_can_carry_is_none(value: str) -> None:
    cookie = (b"Set-Cookie", f"folioAccessToken={value}; Max-Age=600".encode())
    tokens, _ = tokens_of(FakeTime(), httpx.Response(201, headers=[cookie]))

    assert await tokens.token(TENANT, None) == NotSent("login: answer without a folioAccessToken cookie", 201)


@pytest.mark.parametrize("end", ["0001-01-01", "9999-12-31T23:59:59", "9" * 5000, "0001-01-01T00:00:00+23:59"])
async def test_an_end_of_a_token_out_of_all_time_does_no_harm(end: str) -> None:
    content = {"accessTokenExpiration": end}
    tokens, _ = tokens_of(FakeTime(), answer(201, content, {"Set-Cookie": "folioAccessToken=t1"}))

    assert await value_of(tokens) == "t1"
