"""Tokens for OAUTHBEARER, by the client-credentials grant (RFC 6749, section 4.4): got from a token endpoint, renewed
ahead of their end.

Owns the token and the one call for it. Secret and token never leave through a message.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeGuard
from urllib.parse import quote_plus, urlsplit

import aiohttp
import orjson
from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaError

from service.tls import TlsFault, TlsFiles, client_context

RENEWAL_AT: Final = 0.8
"""A token is renewed when this share of its life is over."""
SERVES_UNTIL: Final = 0.9
"""And while the next is fetched, it serves until this share is: it must still be good when the broker looks at it."""
FETCH_SECONDS: Final = 15.0
PAUSE_AFTER_FAILURE_SECONDS: Final = 5.0
"""The Kafka client asks ten times a second for a connection that it cannot make."""
_USUAL_LIFE_SECONDS: Final = 300.0
_MAX_ANSWER_BYTES: Final = 1 << 20
_MAX_WORDS_CHARACTERS: Final = 300


class TokenUnavailable(KafkaError):  # type: ignore[misc]  # aiokafka has no types
    """No token can be had. A `KafkaError`, so that the client treats it as a broker that cannot be had."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Where tokens come from, and who asks."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str | None = None
    cafile: Path | None = None

    @property
    def place(self) -> str:
        """The address for messages, without what may be secret in it."""
        parts = urlsplit(self.token_url)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"


@dataclass(frozen=True, slots=True)
class _Token:
    value: str = field(repr=False)
    renew_at: float
    serves_until: float
    expires_at: float


class ClientCredentials(AbstractTokenProvider):  # type: ignore[misc]  # aiokafka has no types
    """The tokens of one grant, for all clients of the process. `wall` is in seconds since 1970."""

    def __init__(self, grant: Grant, wall: Callable[[], float] = time.time) -> None:
        self._grant = grant
        self._wall = wall
        self._token: _Token | None = None
        self._fetching: asyncio.Task[_Token] | None = None
        self._failure: tuple[float, TokenUnavailable] | None = None

    async def token(self) -> str:
        """A token that has not expired. However many ask, one fetch is under way; a token that is due for renewal
        serves on meanwhile for a while, and to its end where there is no other. Raises `TokenUnavailable`."""
        now = self._wall()
        known = self._token
        if known is not None and now < known.renew_at:
            return known.value
        still_good = known if known is not None and now < known.expires_at else None
        failure = self._failure
        if failure is not None and now < failure[0] + PAUSE_AFTER_FAILURE_SECONDS:
            if still_good is not None:
                return still_good.value
            raise failure[1]
        fetching = self._fetch_under_way()
        if known is not None and now < known.serves_until:
            return known.value
        try:
            return (await asyncio.shield(fetching)).value
        except TokenUnavailable:
            if known is not None and self._wall() < known.expires_at:
                return known.value
            raise

    def _fetch_under_way(self) -> asyncio.Task[_Token]:
        fetching = self._fetching
        if fetching is None or fetching.done() or fetching.get_loop() is not asyncio.get_running_loop():
            fetching = self._fetching = asyncio.create_task(self._fetch())
            fetching.add_done_callback(_heard)
        return fetching

    async def _fetch(self) -> _Token:
        try:
            self._token = self._read(await self._ask())
        except TokenUnavailable as error:
            self._failure = self._wall(), error
            raise
        self._failure = None
        return self._token

    async def _ask(self) -> dict[str, Any]:
        """The answer of the token endpoint. Raises `TokenUnavailable`."""
        grant = self._grant
        form = {"grant_type": "client_credentials"} | ({"scope": grant.scope} if grant.scope else {})
        pair = f"{quote_plus(grant.client_id)}:{quote_plus(grant.client_secret)}"
        headers = {"Authorization": f"Basic {b64encode(pair.encode()).decode()}", "Accept": "application/json"}
        try:
            context = client_context(TlsFiles(grant.cafile))
            timeout = aiohttp.ClientTimeout(total=FETCH_SECONDS)
            async with (
                aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(ssl=context)) as session,
                session.post(grant.token_url, data=form, headers=headers, allow_redirects=False) as response,
            ):
                body = await response.content.read(_MAX_ANSWER_BYTES)
                status = response.status
        except TlsFault as error:
            raise TokenUnavailable(f"no token: SASL_OAUTH_CAFILE: {error}") from None
        except (aiohttp.ClientError, TimeoutError, ssl.SSLError, ValueError) as error:
            told = "no answer in time" if isinstance(error, TimeoutError) else self._words(str(error))
            raise TokenUnavailable(f"no token from {grant.place}: {told}") from None
        content = _object_in(body)
        if not 200 <= status < 300:
            told = ": ".join(filter(None, (_text(content, "error"), _text(content, "error_description"))))
            raise TokenUnavailable(f"no token from {grant.place}: HTTP {status} {self._words(told)}".rstrip())
        return content

    def _read(self, answer: dict[str, Any]) -> _Token:
        value, life = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(value, str) or not (value.isascii() and value.isprintable() and " " not in value and value):
            raise TokenUnavailable(f"no token from {self._grant.place}: an answer without a usable access_token")
        seconds = float(life) if _is_number(life) and life > 0 else _USUAL_LIFE_SECONDS
        now = self._wall()
        return _Token(value, now + RENEWAL_AT * seconds, now + SERVES_UNTIL * seconds, now + seconds)

    def _words(self, text: str) -> str:
        line = " ".join(text.replace(self._grant.client_secret, "[hidden]").split())
        return line[:_MAX_WORDS_CHARACTERS]


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _heard(fetching: asyncio.Task[_Token]) -> None:
    """Whoever waited for it may be gone: then nobody else hears of its error."""
    if not fetching.cancelled():
        fetching.exception()


def _object_in(body: bytes) -> dict[str, Any]:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return content if isinstance(content, dict) else {}


def _text(content: dict[str, Any], name: str) -> str:
    value = content.get(name)
    return value if isinstance(value, str) else ""
