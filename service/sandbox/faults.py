"""Faults on request: which calls are disturbed, how, and how often.

Owns matching and counting. It must not touch a connection or a system: the server carries out what a `Fault` says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Literal, TypeAlias, get_args

import orjson

from service.sandbox.content import Stretch
from service.sandbox.exchange import Call, JsonValue, Reply

Stage: TypeAlias = Literal["before", "after"]

_STAGES: Final = get_args(Stage)
_TEXT_FIELDS: Final = (
    "name", "system", "method", "path_contains", "path_ends_with", "body_contains", "tenant", "content_type",
)  # fmt: skip


class FaultError(ValueError):
    """A fault that makes no sense; the message names the field."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Which calls to disturb and how; in JSON the same names in camel case (`pathContains`, `delaySeconds`).

    A call matches when every condition that is given holds: `system`, `method`, `path_contains`, `path_ends_with`,
    `body_contains`, `tenant`. The first `skip` matching calls pass, then `times` calls are hit (None: for ever).

    What happens to a call that is hit:
    - `delay_seconds`: it waits so long, before it is applied (`stage` "before") or after (`stage` "after").
    - `drop`: its connection is closed without an answer, "before" it is applied or "after".
    - `status`: this status is answered. With `stage` "before" the call is not applied; with "after" it is.
    - `body`, `content_type`, `headers`, `truncate_bytes`: put into the answer (headers are added). Without `status`
      the call is applied and its real answer is disturbed, which makes invalid JSON or a wrong content type.
    - `bytes_per_second`: the body is sent no faster.
    - `cut_after_bytes`: the connection is closed after so many bytes of the body, although more are announced.
    - `without_length`: the body is sent without Content-Length, in chunks.
    A body that is not text is sent as JSON.
    """

    name: str | None = None
    system: str | None = None
    method: str | None = None
    path_contains: str | None = None
    body_contains: str | None = None
    tenant: str | None = None
    times: int | None = None
    skip: int = 0
    stage: Stage = "before"
    delay_seconds: float = 0.0
    drop: Stage | None = None
    status: int | None = None
    body: JsonValue = None
    content_type: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    truncate_bytes: int | None = None
    bytes_per_second: float | None = None
    cut_after_bytes: int | None = None
    without_length: bool = False
    path_ends_with: str | None = None

    def __post_init__(self) -> None:
        for name, value in ((field.name, getattr(self, field.name)) for field in fields(self)):
            fault = _fault_of(name, value)
            if fault is not None:
                raise FaultError(f"{_camel(name)}: {fault}")
        if not self._does_something():
            raise FaultError(
                "a fault needs at least one of status, drop, delaySeconds, body, contentType, headers, truncateBytes, "
                "bytesPerSecond, cutAfterBytes, withoutLength"
            )

    @property
    def disturbs_sending(self) -> bool:
        """Whether the answer cannot go out in one piece."""
        return self.bytes_per_second is not None or self.cut_after_bytes is not None or self.without_length

    def matches(self, system: str, call: Call) -> bool:
        """Whether every given condition holds for this call."""
        return (
            (self.system is None or self.system == system)
            and (self.method is None or self.method.upper() == call.method)
            and (self.path_contains is None or self.path_contains in call.path)
            and (self.path_ends_with is None or call.path.endswith(self.path_ends_with))
            and (self.tenant is None or self.tenant == call.tenant)
            and (self.body_contains is None or self.body_contains.encode() in call.body)
        )

    def answer(self, real: Reply | None) -> Reply:
        """What the client is told: the `real` reply (None when the system was not asked) under this fault's changes."""
        reply = real if real is not None else Reply(200)
        status = reply.status if self.status is None else self.status
        content_type, body, content = reply.content_type, reply.body, reply.content
        if self.status is not None or self.body is not None:
            content_type, body = self._own_body()
            content = None
        if self.content_type is not None:
            content_type = self.content_type
        if self.truncate_bytes is not None:
            body = body[: self.truncate_bytes]
            content = content and Stretch(content, 0, min(self.truncate_bytes, content.size))
        return Reply(status, body, content_type, reply.headers + self.headers, content)

    def to_json(self) -> dict[str, JsonValue]:
        """The fault as `from_json` takes it."""
        content: dict[str, JsonValue] = {_camel(field.name): getattr(self, field.name) for field in fields(self)}
        content["headers"] = dict(self.headers)
        return content

    @classmethod
    def from_json(cls, content: object) -> Fault:
        """A fault from the control API. Raises FaultError that names the field."""
        if not isinstance(content, Mapping):
            raise FaultError("a fault must be an object")
        names = {_camel(field.name): field.name for field in fields(cls)}
        arguments: dict[str, Any] = {}  # the constructor checks every value
        for key, value in content.items():
            if key not in names:
                raise FaultError(f"{key}: unknown field; known are {', '.join(names)}")
            arguments[names[key]] = _pairs(value) if key == "headers" else value
        return cls(**arguments)

    def _own_body(self) -> tuple[str | None, bytes]:
        match self.body:
            case None:
                return None, b""
            case str(text):
                return "text/plain", text.encode()
            case content:
                return "application/json", orjson.dumps(content)

    def _does_something(self) -> bool:
        return bool(
            self.status is not None
            or self.drop
            or self.delay_seconds
            or self.body is not None
            or self.content_type
            or self.headers
            or self.truncate_bytes is not None
            or self.disturbs_sending
        )


@dataclass(slots=True)
class ArmedFault:
    """A fault in the queue with its counts: calls that matched, and calls that were hit."""

    name: str
    fault: Fault
    matched: int = 0
    hit: int = 0

    @property
    def spent(self) -> bool:
        """Whether it will hit no further call."""
        return self.fault.times is not None and self.hit >= self.fault.times

    def to_json(self) -> dict[str, JsonValue]:
        """The fault with its name and counts, as the control API lists it."""
        return {
            **self.fault.to_json(),
            "name": self.name,
            "matched": self.matched,
            "hit": self.hit,
            "spent": self.spent,
        }


class Faults:
    """The queue of faults: matched in the order of insertion, the first that hits wins; spent ones stay listed."""

    def __init__(self) -> None:
        self._armed: dict[str, ArmedFault] = {}
        self._number = 0

    def add(self, fault: Fault) -> str:
        """Arms a fault and returns its name (its own, or "fault-N"). Raises FaultError when the name is taken."""
        if fault.name is not None and fault.name in self._armed:
            raise FaultError(f"name: there is a fault {fault.name!r} already")
        name = fault.name or self._next_name()
        self._armed[name] = ArmedFault(name, fault)
        return name

    def has(self, name: str) -> bool:
        """Whether a fault of that name is listed, spent or not."""
        return name in self._armed

    def remove(self, name: str) -> bool:
        """Disarms one fault; False when there is none of that name."""
        return self._armed.pop(name, None) is not None

    def clear(self) -> None:
        """Disarms every fault."""
        self._armed.clear()

    def get(self, name: str) -> ArmedFault:
        """One fault with its counts. Raises KeyError for an unknown name."""
        return self._armed[name]

    def armed(self) -> tuple[ArmedFault, ...]:
        """All faults, spent ones too, in the order in which they are matched."""
        return tuple(self._armed.values())

    def _next_name(self) -> str:
        self._number += 1
        while f"fault-{self._number}" in self._armed:
            self._number += 1
        return f"fault-{self._number}"

    def take(self, system: str, call: Call) -> ArmedFault | None:
        """The fault that hits this call, counted; None when it passes.

        A call let through by `skip` meets the next fault.
        """
        for armed in self._armed.values():
            if armed.spent or not armed.fault.matches(system, call):
                continue
            armed.matched += 1
            if armed.matched > armed.fault.skip:
                armed.hit += 1
                return armed
        return None


def _fault_of(name: str, value: object) -> str | None:
    match name:
        case "stage" if value not in _STAGES:
            return 'must be "before" or "after"'
        case "drop" if value is not None and value not in _STAGES:
            return 'must be "before", "after" or null'
        case "delay_seconds" if not isinstance(value, int | float) or isinstance(value, bool) or value < 0:
            return "must be a number of seconds, 0 or more"
        case "status" if value is not None and (type(value) is not int or not 200 <= value <= 599):
            return "must be a whole number from 200 to 599, or null"
        case _ if name in _TEXT_FIELDS and value is not None and (not isinstance(value, str) or not value):
            return "must be a text that is not empty, or null"
        case "skip" if type(value) is not int or value < 0:
            return "must be a whole number, 0 or more"
        case "bytes_per_second" if value is not None and (
            not isinstance(value, int | float) or isinstance(value, bool) or value <= 0
        ):
            return "must be a number above 0, or null"
        case "without_length" if not isinstance(value, bool):
            return "must be true or false"
        case "times" | "truncate_bytes" | "cut_after_bytes" if value is not None and (
            type(value) is not int or value < 0
        ):
            return "must be a whole number, 0 or more, or null"
    return None


def _pairs(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping) or not all(isinstance(part, str) for pair in value.items() for part in pair):
        raise FaultError("headers: must be an object of texts")
    return tuple(value.items())


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
