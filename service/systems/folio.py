"""Calls through FOLIO's gateway: tenant and token on every call, one login and one repeat after a refused token.

Owns what the gateway itself answers. It must not know a module.
"""

from __future__ import annotations

from functools import lru_cache

from service.engine.ports import MayLeave, freely
from service.systems.call_observer import CallObserver
from service.systems.http import Headers, HttpClient, Reply
from service.systems.tokens import StaticToken, TenantTokens, Token, UserPassword
from service.systems.trouble import CallResult, CredentialsRefused

__all__ = ["FolioGateway", "StaticToken", "UserPassword"]

_TOKEN_MISSING = b"Token missing"
_KB_CREDENTIALS_MISSING = b"KB Credentials do not exist"


class FolioGateway:
    """One module behind the gateway, for every tenant that has credentials. All gateways share one `TenantTokens`."""

    def __init__(self, http: HttpClient, tokens: TenantTokens) -> None:
        self._http = http
        self._tokens = tokens

    @property
    def system(self) -> str:
        """The word of metrics and messages."""
        return self._http.system

    @property
    def observer(self) -> CallObserver:
        """Who is told of calls."""
        return self._http.observer

    async def send(
        self,
        tenant: str,
        operation: str,
        method: str,
        path: str,
        *,
        read_seconds: float,
        body: bytes | None = None,
        media_type: str = "application/json",
        traceparent: str | None = None,
        may_leave: MayLeave = freely,
    ) -> CallResult:
        """One call as `tenant`. `media_type` is what is accepted, and what is sent when there is a body.

        A refused token (401, or the gateway's 400 `Token missing`) is forgotten, and the call repeated once with a new
        one: it was refused before any module saw it. `CredentialsRefused` when that fails too, when a permission is
        missing (403, the knowledge base's own 401 and 403 included), when the user has no knowledge base credentials,
        or when no login is to be had.
        """
        is_repeat = False
        while True:
            token = self._tokens.current(tenant) or await self._tokens.token(tenant, traceparent)
            if not isinstance(token, Token):
                return token
            headers = _headers(tenant, token.value, media_type, body is not None)
            result = await self._http.send(
                operation,
                method,
                path,
                body=body,
                headers=headers,
                read_seconds=read_seconds,
                traceparent=traceparent,
                may_leave=may_leave,
            )
            if isinstance(result, Reply) and result.status < 400:
                return result
            if is_repeat or not (_token_refused(result) and self._tokens.invalidate(tenant, token)):
                return _judged(result)
            is_repeat = True


@lru_cache(maxsize=256)
def _headers(tenant: str, token: str, media_type: str, has_body: bool) -> Headers:
    headers = (("X-Okapi-Tenant", tenant), ("X-Okapi-Token", token), ("Accept", media_type))
    return (*headers, ("Content-Type", media_type)) if has_body else headers


def _token_refused(result: CallResult) -> bool:
    if not isinstance(result, Reply):
        return False
    return result.status == 401 or (result.status == 400 and result.body.lstrip().startswith(_TOKEN_MISSING))


def _judged(result: CallResult) -> CallResult:
    """mod-kb-ebsco-java answers 400 or 404 when the user is assigned to no knowledge base: nothing about the
    request."""
    if not isinstance(result, Reply):
        return result
    unassigned = result.status in (400, 404) and _KB_CREDENTIALS_MISSING in result.body
    if result.status == 403 or unassigned or _token_refused(result):
        return CredentialsRefused(result.status, result.words)
    return result
