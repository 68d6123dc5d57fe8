"""Tokens by the client-credentials grant: fetched once, renewed ahead of their end, and told of without a secret."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme
from aiohttp import BasicAuth, web
from aiokafka.errors import KafkaError

from service.kafka.oauth import (
    PAUSE_AFTER_FAILURE_SECONDS,
    RENEWAL_AT,
    SERVES_UNTIL,
    ClientCredentials,
    Grant,
    TokenUnavailable,
)

SECRET = "hush hush/+%"
LIFE_SECONDS = 100.0


@dataclass
class Endpoint:
    """A token endpoint, and the clock of whoever asks it."""

    url: str = ""
    now: float = 1000.0
    life: object = LIFE_SECONDS
    answer: web.Response | None = None
    """In place of a token."""
    asked: list[tuple[BasicAuth, dict[str, str]]] = field(default_factory=list)
    held: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Queue[None] = field(default_factory=asyncio.Queue)

    def __post_init__(self) -> None:
        self.held.set()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.asked.append((BasicAuth.decode(request.headers["Authorization"]), form))
        self.arrived.put_nowait(None)
        await self.held.wait()
        if self.answer is not None:
            return self.answer
        return web.json_response({"access_token": f"token-{len(self.asked)}", "expires_in": self.life})

    def tokens(self, scope: str | None = None, cafile: Path | None = None) -> ClientCredentials:
        return ClientCredentials(Grant(self.url, "relay", SECRET, scope, cafile), lambda: self.now)


@asynccontextmanager
async def serving(endpoint: Endpoint, tls: ssl.SSLContext | None = None) -> AsyncIterator[Endpoint]:
    app = web.Application()
    app.router.add_post("/token", endpoint.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    endpoint.url = f"http{'s' if tls else ''}://127.0.0.1:{runner.addresses[0][1]}/token"
    try:
        yield endpoint
    finally:
        await runner.cleanup()


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    async with serving(Endpoint()) as running:
        yield running


async def refusal_of(tokens: ClientCredentials) -> str:
    with pytest.raises(TokenUnavailable) as raised:
        await tokens.token()
    assert isinstance(raised.value, KafkaError), "so that the client treats it as a broker that cannot be had"
    assert SECRET not in str(raised.value)
    return str(raised.value)


async def test_a_token_is_asked_for_as_the_grant_wants_it(endpoint: Endpoint) -> None:
    assert await endpoint.tokens(scope="kafka.read kafka.write").token() == "token-1"

    [(who, form)] = endpoint.asked
    assert (who.login, who.password) == ("relay", "hush+hush%2F%2B%25"), "encoded, as RFC 6749 says"
    assert form == {"grant_type": "client_credentials", "scope": "kafka.read kafka.write"}


async def test_a_token_serves_until_it_is_due_for_renewal(endpoint: Endpoint) -> None:
    tokens = endpoint.tokens()

    first = await tokens.token()
    endpoint.now += RENEWAL_AT * LIFE_SECONDS - 1
    second = await tokens.token()

    assert (first, second, len(endpoint.asked)) == ("token-1", "token-1", 1)


async def test_a_token_that_is_due_serves_on_while_the_next_is_fetched(endpoint: Endpoint) -> None:
    tokens = endpoint.tokens()
    await tokens.token()
    endpoint.now += RENEWAL_AT * LIFE_SECONDS
    endpoint.held.clear()

    due = [await tokens.token() for _ in range(3)]
    endpoint.held.set()
    renewed = await until_other(tokens, "token-1")

    assert due == ["token-1"] * 3
    assert (renewed, len(endpoint.asked)) == ("token-2", 2)


async def test_a_token_that_is_about_to_end_waits_for_the_next(endpoint: Endpoint) -> None:
    """A broker looks at it a moment later, by a clock of its own."""
    tokens = endpoint.tokens()
    await tokens.token()
    endpoint.now += SERVES_UNTIL * LIFE_SECONDS

    assert await tokens.token() == "token-2"


async def test_a_token_that_is_about_to_end_serves_when_there_is_no_other(endpoint: Endpoint) -> None:
    tokens = endpoint.tokens()
    await tokens.token()
    endpoint.now += SERVES_UNTIL * LIFE_SECONDS
    endpoint.answer = web.Response(status=503)

    assert await tokens.token() == "token-1"


async def until_other(tokens: ClientCredentials, old: str) -> str:
    async with asyncio.timeout(10):
        while (token := await tokens.token()) == old:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
    return token


async def test_however_many_ask_one_fetch_is_under_way_and_one_that_is_cancelled_does_not_end_it(
    endpoint: Endpoint,
) -> None:
    tokens = endpoint.tokens()
    endpoint.held.clear()
    asking = [asyncio.create_task(tokens.token()) for _ in range(5)]
    await endpoint.arrived.get()
    asking[0].cancel()
    endpoint.held.set()

    answers = await asyncio.gather(*asking, return_exceptions=True)

    assert isinstance(answers[0], asyncio.CancelledError)
    assert answers[1:] == ["token-1"] * 4
    assert len(endpoint.asked) == 1


async def test_an_expired_token_is_never_given(endpoint: Endpoint) -> None:
    tokens = endpoint.tokens()
    await tokens.token()
    endpoint.now += LIFE_SECONDS
    endpoint.answer = web.Response(status=503, text="down")

    assert "HTTP 503" in await refusal_of(tokens)


async def test_a_token_that_cannot_be_renewed_serves_to_its_end(endpoint: Endpoint) -> None:
    tokens = endpoint.tokens()
    await tokens.token()
    endpoint.now += RENEWAL_AT * LIFE_SECONDS
    endpoint.answer = web.Response(status=503)
    await endpoint.arrived.get()
    await tokens.token()
    await endpoint.arrived.get()

    assert [await tokens.token() for _ in range(3)] == ["token-1"] * 3


async def test_after_a_failure_the_endpoint_is_left_alone_for_a_while(endpoint: Endpoint) -> None:
    tokens = endpoint.tokens()
    endpoint.answer = web.json_response({"error": "invalid_client"}, status=401)

    first, second = await refusal_of(tokens), await refusal_of(tokens)
    asked = len(endpoint.asked)
    endpoint.now += PAUSE_AFTER_FAILURE_SECONDS
    endpoint.answer = None

    assert first == second
    assert asked == 1
    assert await tokens.token() == "token-2"


@pytest.mark.parametrize("life", [None, 0, -5, "soon", True])
async def test_an_answer_without_a_life_is_believed_for_five_minutes(endpoint: Endpoint, life: object) -> None:
    endpoint.life = life
    tokens = endpoint.tokens()
    await tokens.token()

    endpoint.now += RENEWAL_AT * 300 - 1

    assert await tokens.token() == "token-1"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            web.json_response({"error": "invalid_client", "error_description": f"{SECRET} is wrong"}, status=401),
            "HTTP 401 invalid_client: [hidden] is wrong",
        ),
        (web.Response(status=500, text="<html>"), "HTTP 500"),
        (web.Response(status=302, headers={"Location": "/elsewhere"}), "HTTP 302"),
        (web.json_response({"token_type": "Bearer"}), "without a usable access_token"),
        (web.json_response({"access_token": ""}), "without a usable access_token"),
        (web.json_response({"access_token": "a\x01b"}), "without a usable access_token"),
        (web.json_response({"access_token": "a b"}), "without a usable access_token"),
        (web.json_response(["a"]), "without a usable access_token"),
        (web.Response(text="not JSON"), "without a usable access_token"),
    ],
)
async def test_what_the_endpoint_refuses_is_told_in_its_words(
    endpoint: Endpoint, answer: web.Response, told: str
) -> None:
    endpoint.answer = answer

    assert told in await refusal_of(endpoint.tokens())


async def test_an_endpoint_that_cannot_be_had_is_told_by_its_address_without_what_may_be_secret_in_it() -> None:
    endpoint = Endpoint("http://127.0.0.1:1/token?key=word")

    told = await refusal_of(endpoint.tokens())

    assert told.startswith("TokenUnavailable: no token from http://127.0.0.1:1/token: Cannot connect")
    assert "word" not in told


async def test_an_endpoint_is_trusted_by_the_authorities_that_are_given(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    ca = tmp_path / "ca.pem"
    ca.write_bytes(authority.cert_pem.bytes())
    async with serving(Endpoint(), context) as endpoint:
        trusted = await endpoint.tokens(cafile=ca).token()
        told = await refusal_of(endpoint.tokens())

    assert trusted == "token-1"
    assert "certificate verify failed" in told


async def test_authorities_that_are_gone_are_told(tmp_path: Path) -> None:
    told = await refusal_of(Endpoint("https://issuer.example/token").tokens(cafile=tmp_path / "missing.pem"))

    assert "SASL_OAUTH_CAFILE" in told


def test_one_process_may_use_it_in_one_event_loop_after_another() -> None:
    tokens = ClientCredentials(Grant("http://127.0.0.1:1/token", "relay", SECRET))

    async def ask_and_leave() -> None:
        asking = asyncio.create_task(tokens.token())
        await asyncio.sleep(0)
        asking.cancel()

    asyncio.run(ask_and_leave())

    assert "Cannot connect" in asyncio.run(refusal_of(tokens))


def test_no_secret_shows_in_what_a_grant_looks_like() -> None:
    assert SECRET not in repr(Grant("https://issuer.example/token", "relay", SECRET))
