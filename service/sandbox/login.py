"""mod-login's token endpoints with expiry: logging in and refreshing.

Owns their answers. It must not keep tokens itself: `accounts.py` does. The legacy `/authn/login` is not served, as in
current releases.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import orjson

from service.sandbox.accounts import Accounts, Session
from service.sandbox.exchange import Call, JsonValue, Reply, json_reply, text_reply
from service.sandbox.gateway import cookie

_PATHS: Final = ("/authn/login-with-expiry", "/authn/refresh")


class Login:
    """POST /authn/login-with-expiry and POST /authn/refresh.

    The tokens travel in Set-Cookie alone, both Secure, the refresh token under Path=/authn, as mod-login sends them.
    State: see `Accounts`.
    """

    def __init__(self, accounts: Accounts) -> None:
        self.name = "login"
        self.accounts = accounts

    def serves(self, method: str, path: str) -> bool:
        """The two endpoints, by POST."""
        return method == "POST" and path in _PATHS

    def handle(self, call: Call) -> Reply:
        """201 with cookies.

        422 for wrong or blocked credentials and for a refresh token that cannot be used; 400 as text.
        """
        return self._refresh(call) if call.path == "/authn/refresh" else self._log_in(call)

    def entities(self, call: Call) -> tuple[str, ...]:
        """The tenant: a login is about nothing else that may be written down."""
        return (call.tenant,)

    def snapshot(self) -> dict[str, JsonValue]:
        """See `Accounts.snapshot`."""
        return self.accounts.snapshot()

    def load(self, state: Mapping[str, JsonValue]) -> None:
        """See `Accounts.load`."""
        self.accounts.load(state)

    def reset(self) -> None:
        """See `Accounts.reset`."""
        self.accounts.reset()

    def _log_in(self, call: Call) -> Reply:
        content_type = (call.header("content-type") or "").partition(";")[0].strip().lower()
        if content_type != "application/json":
            return text_reply(400, f'Content-type header must be ["application/json"] but it is "{content_type}"')
        try:
            content = orjson.loads(call.body)
        except orjson.JSONDecodeError:
            return text_reply(400, "Json content error: the body is not JSON")
        credentials = content if isinstance(content, dict) else {}
        username, password = credentials.get("username"), credentials.get("password")
        if not isinstance(username, str) or not username:
            return text_reply(400, "You must provide a username or userId")
        if not isinstance(password, str) or not password:
            return text_reply(400, "You must provide a password")
        session = self.accounts.log_in(call.tenant, username, password)
        if session is None:
            code = "wrong.username.or.wrong.password.or.account.blocked"
            return _unprocessable("Wrong username or wrong password or account blocked", code)
        return self._created(session)

    def _refresh(self, call: Call) -> Reply:
        token = cookie(call, "folioRefreshToken")
        if token is None:
            return _failure(400, "Unable to parse token cookies", "token.parse.failure")
        session = self.accounts.refresh(call.tenant, token)
        if session is None:
            return _unprocessable("Unable to refresh token", "token.refresh.unprocessable")
        return self._created(session)

    def _created(self, session: Session) -> Reply:
        accounts = self.accounts
        body = {
            "accessTokenExpiration": _iso(session.access_expires_at),
            "refreshTokenExpiration": _iso(session.refresh_expires_at),
        }
        cookies = (
            _set_cookie("folioRefreshToken", session.refresh_token, "/authn", accounts.refresh_token_seconds),
            _set_cookie("folioAccessToken", session.access_token, "/", accounts.access_token_seconds),
        )
        return Reply(201, orjson.dumps(body), "application/json", tuple(("Set-Cookie", value) for value in cookies))


def _set_cookie(name: str, value: str, path: str, seconds: float) -> str:
    return f"{name}={value}; Max-Age={int(seconds)}; Path={path}; Secure; HttpOnly; SameSite=None"


def _iso(epoch_seconds: float) -> str:
    return datetime.fromtimestamp(epoch_seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _unprocessable(message: str, code: str) -> Reply:
    return _failure(422, message, code)


def _failure(status: int, message: str, code: str) -> Reply:
    return json_reply(status, {"errors": [{"message": message, "type": "error", "code": code, "parameters": []}]})
