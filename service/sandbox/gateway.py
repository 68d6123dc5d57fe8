"""The simulated FOLIO gateway: tenant, token and permission are checked before a module sees the call.

Owns the refusals of Okapi and mod-authtoken and the table of required permissions. It must not know what a module
answers.
"""

from __future__ import annotations

import re
from http.cookies import CookieError, SimpleCookie
from typing import Final

from service.sandbox.accounts import Accounts
from service.sandbox.exchange import Call, Reply, text_reply

_BY_ID: Final = "[^/]+"
PERMISSIONS: Final = tuple(
    (method, re.compile(pattern), permission)
    for method, pattern, permission in (
        ("POST", "/eholdings/resources", "kb-ebsco.resources.collection.post"),
        ("POST", "/eholdings/resources/bulk/fetch", "kb-ebsco.resources-bulk.collection.get"),
        ("GET", f"/eholdings/resources/{_BY_ID}", "kb-ebsco.resources.item.get"),
        ("PUT", f"/eholdings/resources/{_BY_ID}", "kb-ebsco.resources.item.put"),
        ("DELETE", f"/eholdings/resources/{_BY_ID}", "kb-ebsco.resources.item.delete"),
        ("PUT", f"/eholdings/resources/{_BY_ID}/tags", "kb-ebsco.resource-tags.put"),
        ("PUT", "/inventory-upsert-hrid", "inventory-update.by-hrid.item.put"),
        ("DELETE", "/inventory-upsert-hrid", "inventory-update.by-hrid.item.delete"),
        ("GET", f"/inventory-upsert-hrid/fetch/{_BY_ID}", "inventory-update.by-hrid.item.get"),
        ("PUT", "/inventory-batch-upsert-hrid", "inventory-update.batch-by-hrid.collection.put"),
        ("PUT", "/shared-inventory-upsert-matchkey", "inventory-update.by-matchkey.item.put"),
        ("DELETE", "/shared-inventory-upsert-matchkey", "inventory-update.by-matchkey.item.delete"),
        ("GET", f"/shared-inventory-upsert-matchkey/fetch/{_BY_ID}", "inventory-update.by-matchkey.item.get"),
        ("PUT", "/shared-inventory-batch-upsert-matchkey", "inventory-update.batch-by-matchkey.collection.put"),
        ("GET", "/holdings-sources", "inventory-storage.holdings-sources.collection.get"),
        ("POST", "/holdings-sources", "inventory-storage.holdings-sources.item.post"),
        ("GET", f"/holdings-sources/{_BY_ID}", "inventory-storage.holdings-sources.item.get"),
        ("PUT", f"/holdings-sources/{_BY_ID}", "inventory-storage.holdings-sources.item.put"),
        ("DELETE", f"/holdings-sources/{_BY_ID}", "inventory-storage.holdings-sources.item.delete"),
    )
)


def required_permission(method: str, path: str) -> str | None:
    """The permission a call needs, as the modules' descriptors say; None when it needs none (login and refresh)."""
    for candidate, pattern, permission in PERMISSIONS:
        if candidate == method and pattern.fullmatch(path):
            return permission
    return None


class Gateway:
    """Asked by the server before a system behind `/folio` handles a call."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def refusal(self, call: Call) -> Reply | None:
        """Why the call does not get through, or None when it does.

        400 without or with an unknown tenant, 400 without a token where one is needed, 401 for a token that is
        unknown or has expired, 403 for one of another tenant or without the permission. All of them plain text. A bad
        token is refused on every path, login included.
        """
        if not call.tenant:
            return text_reply(400, "Missing header: X-Okapi-Tenant")
        if not self._accounts.has_tenant(call.tenant):
            return text_reply(400, f"No such Tenant {call.tenant}")
        token = call.header("x-okapi-token")
        bearer = _bearer(call)
        if token and bearer and token != bearer:
            return text_reply(400, "Conflicting token information in Authorization and X-Okapi-Token headers.")
        token = token or bearer or cookie(call, "folioAccessToken")
        permission = required_permission(call.method, call.path)
        if not token:
            return text_reply(400, f"Token missing, access requires permission: {permission}") if permission else None
        return self._refusal_of_token(call, token, permission)

    def _refusal_of_token(self, call: Call, token: str, permission: str | None) -> Reply | None:
        grant = self._accounts.grant_of(token)
        if grant is None:
            return text_reply(401, "Invalid token")
        if self._accounts.expired(grant):
            return text_reply(401, "Invalid token: Access token has expired")
        user = grant.user
        if user.tenant != call.tenant:
            return text_reply(403, "Invalid token: Tenant mismatch: tenant in header does not equal tenant in token")
        if permission is not None and not user.may(permission):
            return text_reply(403, f"Access for user '{user.username}' ({user.id}) requires permission: {permission}")
        return None


def cookie(call: Call, name: str) -> str | None:
    """A cookie of the call; None when it is absent or the header cannot be read."""
    try:
        found = SimpleCookie(call.header("cookie") or "").get(name)
    except CookieError:
        return None
    return found.value if found else None


def _bearer(call: Call) -> str | None:
    scheme, _, token = (call.header("authorization") or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
