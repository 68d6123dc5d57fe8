"""The vocabulary between the sandbox's server and the systems it simulates: one call, one reply, one interface.

Owns no behaviour of any system and no HTTP: a simulated system is a plain synchronous object which can be tested by
handing it a `Call`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import orjson

from service.sandbox.content import Content

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"


@dataclass(frozen=True, slots=True)
class Call:
    """One request as a simulated system sees it; made by the server, and by tests with `Call(...)`.

    `path` is decoded and lies below the system's base ("/eholdings/resources/22-1-2"). `headers` are the raw names as
    they were sent: case and underscores are kept, because SCSB's key travels in a header called `api_key`. `tenant`
    is the value of X-Okapi-Tenant, "" when absent. `base_url` is the system's base as this client reached it, without
    a slash at the end; for systems that answer with links.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    tenant: str = ""
    base_url: str = "http://localhost"

    def header(self, name: str) -> str | None:
        """First value of a header, its name compared without regard to case; `_` and `-` stay different.

        None when absent.
        """
        wanted = name.lower()
        for candidate, value in self.headers:
            if candidate.lower() == wanted:
                return value
        return None


@dataclass(frozen=True, slots=True)
class Reply:
    """What a simulated system answers. `content_type` None sends no Content-Type at all.

    `content` is sent in place of `body`, made on the way; for answers that are too large to be held.
    """

    status: int
    body: bytes = b""
    content_type: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    content: Content | None = None


def json_reply(status: int, payload: object, content_type: str = "application/json") -> Reply:
    """A reply with a JSON body; `payload` is anything orjson can write."""
    return Reply(status, orjson.dumps(payload), content_type)


def text_reply(status: int, text: str) -> Reply:
    """A reply in plain text, the form in which gateways and RMB's first checks refuse."""
    return Reply(status, text.encode(), "text/plain")


def empty_reply(status: int) -> Reply:
    """A reply without body and without content type."""
    return Reply(status)


NO_ANSWER = Reply(0)
"""What a system returns that never answers such a call: the server holds the request until the client gives up."""


class SimulatedSystem(Protocol):
    """A system of the sandbox: its state, and what it answers to a call.

    `handle` is synchronous and therefore atomic towards other calls. The server asks `serves` first, so `handle` may
    rely on it.
    """

    name: str
    """"eholdings", "inventory", "holdings-sources", "scsb", "holdingsiq" or "login"; the word of ledger, faults and
    state."""

    def serves(self, method: str, path: str) -> bool:
        """Whether this system answers that path at all; what it does not serve is 404 of the gateway."""
        ...

    def handle(self, call: Call) -> Reply:
        """Applies the call to the state and answers. A refusal is a reply, never an exception."""
        ...

    def entities(self, call: Call) -> tuple[str, ...]:
        """Ids the call is about, for the ledger (a resource id, an HRID, "PUL/bib").

        () when it names none or is unreadable.
        """
        ...

    def snapshot(self) -> dict[str, JsonValue]:
        """The whole state as JSON.

        What `load` takes, `snapshot` gives back, so that a state can be kept and restored.
        """
        ...

    def load(self, state: Mapping[str, JsonValue]) -> None:
        """Adds seed data: entries of `state` replace entries of the same id, everything else stays.

        Raises ValueError that names the field when the shape is wrong; nothing is loaded then. Each system documents
        its shape.
        """
        ...

    def reset(self) -> None:
        """Back to the state right after construction."""
        ...
