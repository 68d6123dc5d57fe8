"""A request and its answer as bytes, and who carries them: what the hot path spends no object of httpx on.

Values and a port. It must not open a connection, and knows no system.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol, TypeAlias, runtime_checkable

import httpx

from service.engine.ports import MayLeave

RawHeaders: TypeAlias = Sequence[tuple[bytes, bytes]]
"""Names and values as they came, in their order."""

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_TARGET: Final = re.compile(r"/[!-~]*")
_NAME: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(rb"[^\x00-\x08\x0a-\x1f\x7f]*")
MAX_TARGET_BYTES: Final = 65_536


class Origin(NamedTuple):
    """Whom a connection leads to. `scheme` is `http` or `https`, `host` in ASCII and without brackets."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """As a Host header has it: without a port that goes without saying."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS.get(self.scheme) else f"{host}:{self.port}"


class Limits(NamedTuple):
    """Seconds; None is no limit."""

    connect: float | None = None
    """To open a connection."""
    read: float | None = None
    """Between two bytes of the answer."""
    pool: float | None = None
    """To wait for a connection while all that there may be are taken."""
    total: float | None = None
    """Everything, but for the wait until the request may leave."""


_NO_LIMITS: Final = Limits()


@dataclass(slots=True, eq=False)
class WireRequest:
    """What is to be sent. `target` is path and query in ASCII, `headers` lines that each end in CRLF, Host among them
    and Content-Length not."""

    origin: Origin
    method: str
    target: str
    headers: bytes
    body: bytes = b""
    limits: Limits = _NO_LIMITS
    fresh: bool = False
    """Whether it needs a connection that carried nothing before, closed afterwards."""
    may_leave: MayLeave | None = None
    """Awaited when the connection stands, right before the first byte. What it raises passes through."""


class WireAnswer(NamedTuple):
    """An answer, whole, its body still compressed as it came."""

    status: int
    headers: RawHeaders
    body: bytes

    def header(self, name: bytes) -> bytes | None:
        """The first of that name, given in lower case; None when there is none."""
        length = len(name)
        for found, value in self.headers:
            if len(found) == length and found.lower() == name:
                return value
        return None


@runtime_checkable
class Wire(Protocol):
    """Carries a request and brings its answer."""

    async def exchange(self, request: WireRequest) -> WireAnswer:
        """Raises httpx's transport errors, of which `ConnectError`, `ConnectTimeout`, `PoolTimeout`, `ProxyError`,
        `UnsupportedProtocol` and `LocalProtocolError` mean that nothing was sent; and what `may_leave` raises."""
        ...


def origin_of(url: httpx.URL) -> Origin:
    """Raises `httpx.UnsupportedProtocol` for an address that is none for HTTP."""
    port = url.port or _DEFAULT_PORTS.get(url.scheme)
    if port is None or not url.host:
        raise httpx.UnsupportedProtocol("not an address for HTTP")
    return Origin(url.scheme, url.raw_host.decode("ascii").strip("[]"), port)


def header_lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Raises `httpx.LocalProtocolError` for what would break out of its line. Tells no value: it may be a secret."""
    lines: list[bytes] = []
    for name, value in headers:
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise httpx.LocalProtocolError(f"a header that cannot be sent: {name[:60]!r}")
        lines.append(b"%b: %b\r\n" % (name, value))
    return b"".join(lines)


def check_target(target: str) -> str:
    """The target; raises `httpx.LocalProtocolError` where it cannot stand in a request line."""
    if len(target) > MAX_TARGET_BYTES:
        raise httpx.LocalProtocolError("the path is too long")
    if not _TARGET.fullmatch(target):
        raise httpx.LocalProtocolError("the path cannot be sent as it is")
    return target
