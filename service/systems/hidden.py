"""Our credentials in the systems' words: an answer may repeat what was sent. Takes them out, wherever they stand.

`messages.tidy` masks what looks like a credential; this masks what is known to be one of ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

MASK: Final = b"[hidden]"
SHORTEST_CHARACTERS: Final = 8
"""A shorter secret would be found in answers by chance, and change what they say."""

_SECRET_HEADERS: Final = frozenset({"x-okapi-token", "api_key", "x-api-key", "authorization", "cookie"})


def secrets_in(headers: Iterable[tuple[str, str]]) -> tuple[bytes, ...]:
    """The values of those headers that carry a credential."""
    return secret_bytes(value for name, value in headers if name.lower() in _SECRET_HEADERS)


def secret_bytes(secrets: Iterable[str]) -> tuple[bytes, ...]:
    """Each as it would stand in an answer."""
    return tuple(secret.encode() for secret in secrets if len(secret) >= SHORTEST_CHARACTERS)


def without_secrets(body: bytes, secrets: Iterable[bytes]) -> bytes:
    """The body, each of the secrets masked."""
    for secret in secrets:
        if secret in body:
            body = body.replace(secret, MASK)
    return body
