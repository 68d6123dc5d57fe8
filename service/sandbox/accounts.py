"""Tenants, users and tokens behind the simulated FOLIO gateway.

Owns who may do what and for how long. It must not know HTTP: `login.py` and `gateway.py` turn its findings into
answers.
"""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from service.sandbox.exchange import JsonValue
from service.sandbox.seeds import StateError, array_at, object_at, require_known, text_at

FAILURES_UNTIL_BLOCKED: Final = 5
DEFAULT_TENANT: Final = "diku"
DEFAULT_USERNAME: Final = "relay"
DEFAULT_PASSWORD: Final = "relay-password"


@dataclass(slots=True)
class User:
    """A user of one tenant. `permissions` None means all of them."""

    tenant: str
    username: str
    password: str
    id: str
    permissions: frozenset[str] | None = None
    failed_attempts: int = 0

    @property
    def blocked(self) -> bool:
        """Five wrong passwords block an account; the right one does not open it again (mod-login)."""
        return self.failed_attempts >= FAILURES_UNTIL_BLOCKED

    def may(self, permission: str) -> bool:
        """Whether the user holds a permission."""
        return self.permissions is None or permission in self.permissions


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token stands for. `expires_at` is epoch seconds, None for a static token that never expires."""

    user: User
    expires_at: float | None


@dataclass(frozen=True, slots=True)
class Session:
    """A fresh pair of tokens with the epoch seconds at which each expires."""

    access_token: str
    access_expires_at: float
    refresh_token: str
    refresh_expires_at: float


class Accounts:
    """Tenants with their users, static tokens, and the tokens handed out.

    State, as `load` takes it and `snapshot` gives it back (the tokens handed out are not part of it):
    `{"tenants": {tenant: {"users": {username: {"password", "permissions": [..]|null, "id"?, "failedAttempts"?}},
    "tokens": {static token: username}}}, "accessTokenSeconds"?, "refreshTokenSeconds"?}`.
    """

    def __init__(
        self,
        access_token_seconds: float = 600,
        refresh_token_seconds: float = 604_800,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.clock = clock
        self._initial = (access_token_seconds, refresh_token_seconds)
        self.reset()

    def reset(self) -> None:
        """Back to one tenant with one user, no static tokens, no tokens handed out."""
        self.access_token_seconds, self.refresh_token_seconds = self._initial
        self._users: dict[str, dict[str, User]] = {}
        self._static: dict[str, User] = {}
        self._access: dict[str, Grant] = {}
        self._refresh: dict[str, Grant] = {}
        self._used_refresh: dict[str, User] = {}
        self.add_user(DEFAULT_TENANT, DEFAULT_USERNAME, DEFAULT_PASSWORD)

    def add_user(
        self,
        tenant: str,
        username: str,
        password: str,
        permissions: frozenset[str] | None = None,
        user_id: str | None = None,
    ) -> User:
        """Adds or replaces a user, and the tenant with it. `permissions` None grants everything."""
        known_id = user_id or str(uuid.uuid5(uuid.NAMESPACE_URL, f"{tenant}/{username}"))
        user = User(tenant, username, password, known_id, permissions)
        self._users.setdefault(tenant, {})[username] = user
        self._static = {
            token: user if (owner.tenant, owner.username) == (tenant, username) else owner
            for token, owner in self._static.items()
        }
        return user

    def add_static_token(self, token: str, tenant: str, username: str) -> None:
        """Makes a token that never expires. Raises KeyError when the user is unknown."""
        self._static[token] = self._users[tenant][username]

    def has_tenant(self, tenant: str) -> bool:
        """Whether the tenant exists."""
        return tenant in self._users

    def grant_of(self, access_token: str) -> Grant | None:
        """What an access or static token stands for, expired ones included; None for a token never handed out."""
        static = self._static.get(access_token)
        return Grant(static, None) if static is not None else self._access.get(access_token)

    def expired(self, grant: Grant) -> bool:
        """Whether a grant's time is over."""
        return grant.expires_at is not None and self.clock() >= grant.expires_at

    def log_in(self, tenant: str, username: str, password: str) -> Session | None:
        """A new session; None for a wrong name, a wrong password (counted) or a blocked account, alike."""
        user = self._users.get(tenant, {}).get(username)
        if user is None or user.blocked:
            return None
        if not secrets.compare_digest(user.password.encode(), password.encode()):
            user.failed_attempts += 1
            return None
        user.failed_attempts = 0
        return self._open_session(user)

    def refresh(self, tenant: str, refresh_token: str) -> Session | None:
        """A new session for a refresh token, which is used up by it; None when it cannot be used.

        Presenting a used token again revokes every refresh token of that user (mod-authtoken).
        """
        reused = self._used_refresh.get(refresh_token)
        if reused is not None:
            self._refresh = {token: grant for token, grant in self._refresh.items() if grant.user is not reused}
            return None
        grant = self._refresh.get(refresh_token)
        if grant is None or grant.user.tenant != tenant or self.expired(grant):
            return None
        del self._refresh[refresh_token]
        self._used_refresh[refresh_token] = grant.user
        return self._open_session(grant.user)

    def expire_tokens(self) -> None:
        """Ends every access token handed out, as a restart of the gateway with another signing key would."""
        self._access.clear()

    def snapshot(self) -> dict[str, JsonValue]:
        """Tenants, users and static tokens; see the class."""
        tenants: dict[str, JsonValue] = {}
        for tenant, users in self._users.items():
            tokens = {token: user.username for token, user in self._static.items() if user.tenant == tenant}
            tenants[tenant] = {
                "users": {name: _user_json(user) for name, user in users.items()},
                "tokens": {**tokens},
            }
        return {
            "tenants": tenants,
            "accessTokenSeconds": self.access_token_seconds,
            "refreshTokenSeconds": self.refresh_token_seconds,
        }

    def load(self, state: Mapping[str, JsonValue]) -> None:
        """Adds tenants, users and static tokens; see the class. Raises ValueError that names the field."""
        require_known(state, ("tenants", "accessTokenSeconds", "refreshTokenSeconds"), "")
        planned = [
            (tenant, object_at(content, f"tenants.{tenant}"))
            for tenant, content in object_at(state.get("tenants", {}), "tenants").items()
        ]
        users = [
            (tenant, name, _credentials(f"tenants.{tenant}.users.{name}", user))
            for tenant, content in planned
            for name, user in object_at(content.get("users", {}), f"tenants.{tenant}.users").items()
        ]
        names = {(tenant, name) for tenant, name, _ in users}
        tokens = [
            (token, tenant, self._owner(tenant, name, names))
            for tenant, content in planned
            for token, name in object_at(content.get("tokens", {}), f"tenants.{tenant}.tokens").items()
        ]
        access = _seconds("accessTokenSeconds", state.get("accessTokenSeconds", self.access_token_seconds))
        refresh = _seconds("refreshTokenSeconds", state.get("refreshTokenSeconds", self.refresh_token_seconds))
        self.access_token_seconds, self.refresh_token_seconds = access, refresh
        for tenant, _ in planned:
            self._users.setdefault(tenant, {})
        for tenant, name, (password, permissions, user_id, failed) in users:
            self.add_user(tenant, name, password, permissions, user_id).failed_attempts = failed
        for token, tenant, name in tokens:
            self.add_static_token(token, tenant, name)

    def _owner(self, tenant: str, name: JsonValue, names: set[tuple[str, str]]) -> str:
        if isinstance(name, str) and ((tenant, name) in names or name in self._users.get(tenant, {})):
            return name
        raise StateError(f"tenants.{tenant}.tokens", f"a user of this tenant, not {name!r}")

    def _open_session(self, user: User) -> Session:
        now = self.clock()
        session = Session(
            f"access.{secrets.token_urlsafe(32)}",
            now + self.access_token_seconds,
            f"refresh.{secrets.token_urlsafe(32)}",
            now + self.refresh_token_seconds,
        )
        self._access[session.access_token] = Grant(user, session.access_expires_at)
        self._refresh[session.refresh_token] = Grant(user, session.refresh_expires_at)
        return session


def _user_json(user: User) -> dict[str, JsonValue]:
    permissions: list[JsonValue] | None = None if user.permissions is None else [*sorted(user.permissions)]
    return {
        "password": user.password,
        "permissions": permissions,
        "id": user.id,
        "failedAttempts": user.failed_attempts,
    }


def _credentials(path: str, content: JsonValue) -> tuple[str, frozenset[str] | None, str | None, int]:
    user = object_at(content, path)
    require_known(user, ("password", "permissions", "id", "failedAttempts"), path)
    password = text_at(user.get("password"), f"{path}.password")
    user_id = None if user.get("id") is None else text_at(user["id"], f"{path}.id")
    failed, permissions = user.get("failedAttempts", 0), user.get("permissions")
    if type(failed) is not int or failed < 0:
        raise StateError(f"{path}.failedAttempts", "a whole number, 0 or more")
    if permissions is None:
        return password, None, user_id, failed
    granted = (text_at(name, f"{path}.permissions") for name in array_at(permissions, f"{path}.permissions"))
    return password, frozenset(granted), user_id, failed


def _seconds(path: str, content: JsonValue) -> float:
    if isinstance(content, bool) or not isinstance(content, int | float) or content <= 0:
        raise StateError(path, "a number of seconds above 0")
    return content
