"""FOLIO access tokens: each tenant's token, got by logging in and renewed ahead of its end.

Owns the login call and what is known of each tenant's token. It must not judge a business call: `folio.py` tells it
which token was refused. Passwords and tokens never leave through a message.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, TypeAlias

import orjson

from service.systems.http import Clocks, HttpClient, Lost, NotSent, Reply
from service.systems.trouble import CredentialsRefused, mapping_of, trouble_of

RENEWAL_AT: Final = 0.8
"""A token is renewed when this share of its life is over: early enough for a login that has to be tried again."""

MAX_REFUSED_LOGINS: Final = 2
"""Per tenant, for the life of the process. mod-login blocks an account after five; replicas share that count."""

PAUSE_AFTER_REFUSED_LOGIN_SECONDS: Final = 300.0
"""No login is tried for so long after one was refused: time for a changed password to arrive, and for another replica's
attempts not to add up to a blocked account."""

PAUSE_AFTER_FAILED_RENEWAL_SECONDS: Final = 10.0
"""How long a token that still serves is left alone after a login stumbled."""

_DEFAULT_LIFE_SECONDS: Final = 600.0
_COOKIE: Final = "folioAccessToken"
_IN_A_HEADER: Final = re.compile(r"[!-~]+")
"""What a token must be made of to be sent: anything else breaks the header that carries it."""


@dataclass(frozen=True, slots=True)
class StaticToken:
    """A token that was given to us: it cannot be renewed here."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class UserPassword:
    """A service user to log in as."""

    username: str
    password: str = field(repr=False)


Credentials: TypeAlias = StaticToken | UserPassword


@dataclass(frozen=True, slots=True)
class Token:
    """A token in use, and when to renew it (seconds since 1970)."""

    value: str = field(repr=False)
    renew_at: float
    expires_at: float


@dataclass(slots=True)
class _Tenant:
    credentials: Credentials
    token: Token | None = None
    login: asyncio.Task[Token | NotSent | CredentialsRefused] | None = None
    refused_logins: int = 0
    refusal: CredentialsRefused | None = None
    refused_at: float = 0.0


class TenantTokens:
    """Every tenant's token.

    POST /authn/login-with-expiry is used in place of POST /authn/refresh throughout. A refresh token is good for one
    use, and presenting a used one revokes all of that user's refresh tokens, so replicas that share a user must not
    share one, and a refresh whose answer was lost must not be repeated. A login has neither trap, and a service may
    log in as it pleases.
    """

    def __init__(
        self, http: HttpClient, credentials: Mapping[str, Credentials], *, login_seconds: float, clocks: Clocks
    ) -> None:
        self._http = http
        self._login_seconds = login_seconds
        self._clocks = clocks
        self._tenants = {name: _Tenant(given) for name, given in credentials.items()}

    def knows(self, tenant: str) -> bool:
        """Whether there are credentials for this tenant."""
        return tenant in self._tenants

    def current(self, tenant: str) -> Token | None:
        """The token of a tenant that `knows` has, where one is at hand and not due for renewal: what `token` gives
        then."""
        token = self._tenants[tenant].token
        return token if token is not None and self._clocks.wall() < token.renew_at else None

    async def token(self, tenant: str, traceparent: str | None) -> Token | NotSent | CredentialsRefused:
        """A token for a call. However many calls wait, one login is under way; a caller that is cancelled does not end
        it.

        `NotSent` when the login stumbled: the business call has not left. A token that is due for renewal serves on
        while the login is under way, and to its end when no other can be had.
        """
        current = self.current(tenant)
        if current is not None:
            return current
        known = self._tenants[tenant]
        credentials, now = known.credentials, self._clocks.wall()
        if isinstance(credentials, StaticToken):
            known.token = Token(credentials.token, math.inf, math.inf)
            return known.token
        still_good = known.token if known.token is not None and now < known.token.expires_at else None
        if known.login is None:
            refusal = self._standing_refusal(known)
            if refusal is not None:
                return still_good or refusal
            known.login = asyncio.create_task(self._log_in(tenant, known, credentials, traceparent))
        if still_good is not None:
            return still_good
        return await asyncio.shield(known.login)

    def invalidate(self, tenant: str, token: Token) -> bool:
        """Forgets exactly this token; one that has replaced it meanwhile stays. False when no other can be had: a given
        token is kept, and whoever probes the system later tries it again."""
        known = self._tenants[tenant]
        if isinstance(known.credentials, StaticToken):
            return False
        if known.token is not None and known.token.value == token.value:
            known.token = None
        return True

    async def aclose(self) -> None:
        """Ends logins that are under way."""
        logins = [known.login for known in self._tenants.values() if known.login is not None]
        for login in logins:
            login.cancel()
        await asyncio.gather(*logins, return_exceptions=True)

    def _standing_refusal(self, known: _Tenant) -> CredentialsRefused | None:
        if known.refusal is None:
            return None
        if known.refused_logins >= MAX_REFUSED_LOGINS:
            return known.refusal
        paused = self._clocks.wall() < known.refused_at + PAUSE_AFTER_REFUSED_LOGIN_SECONDS
        return known.refusal if paused else None

    async def _log_in(
        self, tenant: str, known: _Tenant, credentials: UserPassword, traceparent: str | None
    ) -> Token | NotSent | CredentialsRefused:
        try:
            result = await self._ask_for_token(tenant, credentials, traceparent)
        finally:
            known.login = None
        match result:
            case Token():
                known.token, known.refusal = result, None
            case CredentialsRefused():
                known.refusal, known.refused_at = result, self._clocks.wall()
                known.refused_logins += result.status == 422
            case NotSent() if known.token is not None:
                known.token = replace(known.token, renew_at=self._clocks.wall() + PAUSE_AFTER_FAILED_RENEWAL_SECONDS)
            case NotSent():
                pass
        return result

    async def _ask_for_token(
        self, tenant: str, credentials: UserPassword, traceparent: str | None
    ) -> Token | NotSent | CredentialsRefused:
        body = orjson.dumps({"username": credentials.username, "password": credentials.password})
        result = await self._http.send(
            "login",
            "POST",
            "/authn/login-with-expiry",
            body=body,
            headers=(("X-Okapi-Tenant", tenant), ("Content-Type", "application/json"), ("Accept", "application/json")),
            read_seconds=self._login_seconds,
            traceparent=traceparent,
            hidden=(credentials.password,),
        )
        return self._token_in(result)

    def _token_in(self, result: Reply | NotSent | Lost) -> Token | NotSent | CredentialsRefused:
        trouble = trouble_of(result, changes=False)
        if trouble is not None and trouble.denial is None:
            return NotSent(f"login: {trouble.message}", trouble.status, trouble.retry_after_seconds)
        if not isinstance(result, Reply):
            return NotSent(f"login: {result.message}")
        if not 200 <= result.status < 300:
            return CredentialsRefused(result.status, f"login refused: {result.words}")
        found = _cookie_of(result)
        if found is None:
            return NotSent(f"login: answer without a {_COOKIE} cookie", result.status)
        value, life_seconds = found
        now = self._clocks.wall()
        life = life_seconds or _life_in(result, now) or _DEFAULT_LIFE_SECONDS
        return Token(value, now + RENEWAL_AT * life, now + life)


def _cookie_of(reply: Reply) -> tuple[str, float | None] | None:
    """The access token and its Max-Age, read by hand: it is Secure, and no cookie jar would give it back over plain
    http."""
    for header in reply.headers.get_list("set-cookie"):
        pair, *attributes = header.split(";")
        name, _, value = pair.strip().partition("=")
        if name == _COOKIE and _IN_A_HEADER.fullmatch(value):
            return value, _max_age_of(attributes)
    return None


def _max_age_of(attributes: list[str]) -> float | None:
    for attribute in attributes:
        name, _, value = attribute.strip().partition("=")
        if name.lower() == "max-age" and value.isascii() and value.isdigit():
            return float(value)
    return None


def _life_in(reply: Reply, now: float) -> float | None:
    """Seconds until `accessTokenExpiration`, by our clock; None when it is not there or past."""
    content = mapping_of(reply) or {}
    text = content.get("accessTokenExpiration")
    try:
        seconds = datetime.fromisoformat(str(text)).timestamp() - now
    except (ValueError, OverflowError):
        return None
    return seconds if seconds > 0 else None
