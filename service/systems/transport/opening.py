"""How a connection comes about: the name is looked up, addresses are tried, a proxy is asked, TLS is agreed on.

Every error here means that no request was sent. Certificates are always verified, and always by the system's name.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias
from urllib.parse import urlsplit

import httpx
from aiohappyeyeballs import start_connection

from service.systems.proxies import Proxy
from service.systems.transport.connection import Connection
from service.systems.wire import Origin

_NEXT_ADDRESS_SECONDS: Final = 0.25
"""RFC 8305: after which the next address is tried beside one that has not answered yet."""
_MAX_PROXY_ANSWER_BYTES: Final = 65_536


Address: TypeAlias = tuple[
    socket.AddressFamily, socket.SocketKind, int, str, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
]


class Opener:
    """Opens connections of all kinds."""

    def __init__(self, tls: ssl.SSLContext, proxy_of: Callable[[httpx.URL], Proxy | None]) -> None:
        self._tls = tls
        self._proxy_of = proxy_of
        self._proxies: dict[Origin, Proxy | None] = {}

    async def open(self, origin: Origin, connect_seconds: float | None) -> Connection:
        """Raises `ConnectError`, `ConnectTimeout`, `ProxyError` and `UnsupportedProtocol`."""
        try:
            async with asyncio.timeout(connect_seconds):
                proxy = self._proxy(origin)
                if proxy is None:
                    return await self._open_direct(origin, Connection())
                return await self._open_through(proxy, origin)
        except TimeoutError:
            raise httpx.ConnectTimeout("no connection in time") from None
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(str(error) or type(error).__name__) from error

    def _proxy(self, origin: Origin) -> Proxy | None:
        if origin not in self._proxies:
            self._proxies[origin] = self._proxy_of(httpx.URL(f"{origin.scheme}://{origin.authority}"))
        return self._proxies[origin]

    async def _open_direct(self, origin: Origin, connection: Connection) -> Connection:
        loop = asyncio.get_running_loop()
        tls = self._tls if origin.scheme == "https" else None
        connected = await _connected_socket(origin)
        try:
            await loop.create_connection(
                lambda: connection, sock=connected, ssl=tls, server_hostname=origin.host if tls else None
            )
        except BaseException:
            connected.close()
            raise
        return connection

    async def _open_through(self, proxy: Proxy, origin: Origin) -> Connection:
        parts = urlsplit(proxy.url)
        if parts.scheme not in ("http", "https") or parts.hostname is None:
            raise httpx.ProxyError(f"not a proxy for HTTP: {proxy.url}")
        gate = Origin(parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80))
        plain = origin.scheme == "http"
        if parts.scheme == "https" and not plain:
            raise httpx.ProxyError(f"{proxy.url}: TLS within TLS is not supported; name the proxy by http://")
        try:
            connection = await self._open_direct(gate, Connection(proxy.authorization, through_proxy=plain))
        except OSError as error:
            raise httpx.ProxyError(f"{proxy.url}: {error}") from error
        return connection if plain else await self._tunnel(connection, proxy, origin)

    async def _tunnel(self, gate: Connection, proxy: Proxy, origin: Origin) -> Connection:
        """TLS with the system, through the proxy."""
        try:
            await _ask_for_tunnel(gate, proxy, origin)
            connection = Connection()
            transport = await asyncio.get_running_loop().start_tls(
                gate.transport, connection, self._tls, server_hostname=origin.host
            )
            if transport is None:
                raise httpx.ConnectError("the connection ended before TLS was agreed on")
        except BaseException:
            gate.abort()
            raise
        connection.connection_made(transport)
        return connection


async def _ask_for_tunnel(gate: Connection, proxy: Proxy, origin: Origin) -> None:
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    authority = f"{host}:{origin.port}"
    lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}"]
    if proxy.authorization is not None:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    head = "\r\n".join([*lines, "", ""]).encode("ascii")
    asked = gate.ask(
        "CONNECT", head, b"", read_seconds=None, total_seconds=None, max_answer_bytes=_MAX_PROXY_ANSWER_BYTES
    )
    try:
        answer = await asked
    except httpx.TransportError as error:
        raise httpx.ProxyError(f"{proxy.url}: {error}") from error
    if not 200 <= answer.status < 300:
        raise httpx.ProxyError(f"{proxy.url}: the tunnel is refused with {answer.status}")
    if not gate.is_clean:
        raise httpx.ProxyError(f"{proxy.url}: more was said than that the tunnel stands")


async def _connected_socket(origin: Origin) -> socket.socket:
    connected = await start_connection(
        await addresses_of(origin.host, origin.port), happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS, interleave=1
    )
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connected


async def addresses_of(host: str, port: int) -> Sequence[Address]:
    """All addresses of a name, by the system's resolver in a thread. Raises OSError."""
    loop = asyncio.get_running_loop()
    return await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
