"""The three kinds of body in which eholdings refuses, and the exception that carries one of them.

JSON:API errors come from the module and from the RM API behind it, `application/json` errors and plain text from RMB,
the framework in front. A client has to understand all three.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from service.sandbox.exchange import JsonValue, Reply, json_reply, text_reply

JSON_API: Final = "application/vnd.api+json"
VERSION: Final[dict[str, JsonValue]] = {"version": "1.0"}

NOT_NULL: Final = "jakarta.validation.constraints.NotNull.message"
PATTERN: Final = "jakarta.validation.constraints.Pattern.message"
SIZE: Final = "jakarta.validation.constraints.Size.message"


class RefusedError(Exception):
    """Ends the handling of a call with a reply."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def document(status: int, content: dict[str, JsonValue]) -> Reply:
    """A JSON:API document."""
    return json_reply(status, {**content, "jsonapi": VERSION}, JSON_API)


def failure(status: int, title: str, detail: str | None = None) -> RefusedError:
    """A JSON:API error of the module or of the RM API; never more than one."""
    error: dict[str, JsonValue] = {"title": title} if detail is None else {"title": title, "detail": detail}
    return RefusedError(document(status, {"errors": [error]}))


def internal_error() -> RefusedError:
    """What every exception nobody mapped becomes."""
    return failure(500, "Internal Server Error")


def violations(found: Sequence[tuple[str, str, str, str]]) -> RefusedError:
    """RMB's 422 for a body that breaks its schema, all violations at once: (message, code, key, value)."""
    errors = [
        {"message": message, "type": "1", "code": code, "parameters": [{"key": key, "value": value}]}
        for message, code, key, value in found
    ]
    return RefusedError(json_reply(422, {"errors": errors}))


def bad_request(text: str) -> RefusedError:
    """RMB's 400 in plain text: wrong headers, malformed JSON, a value that cannot be read."""
    return RefusedError(text_reply(400, text))
