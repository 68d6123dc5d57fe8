"""Why no broker can be had. aiokafka logs the reason and raises without it; here one connection is made to hear it.

Owns the words and the names of the settings at fault. It must not be used where a connection works.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiokafka.conn import AIOKafkaConnection, OAuthAuthenticator, collect_hosts
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    NodeNotReadyError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from service.engine.ports import SourceUnavailable
from service.kafka.connection import connection_arguments, words
from service.kafka.oauth import TokenUnavailable
from service.settings import KafkaSettings

CONNECT_SECONDS: Final = 5.0

_PREAMBLE: Final = re.compile(r"^(\[Error -?\d+\] )?\w+: ")
_NAMES: Final = "RELAY_KAFKA__"
_ADDRESS: Final = f"{_NAMES}BOOTSTRAP_SERVERS"
_PROTOCOL: Final = f"{_NAMES}SECURITY_PROTOCOL"


@dataclass(frozen=True, slots=True)
class Spoken:
    """A broker that answers, and the versions of each request that it takes, by the request's number."""

    server: str
    versions: Mapping[int, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Unreachable:
    """A broker that cannot be had. `remedy` names the settings to look at."""

    server: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.server}: {self.message} ({self.remedy})"


async def speak(settings: KafkaSettings) -> list[Spoken | Unreachable]:
    """What each of the bootstrap servers answers, in the order of the setting; all are asked at once. Takes
    `CONNECT_SECONDS` at most. Raises what `connection_arguments` raises."""
    arguments = connection_arguments(settings)
    del arguments["bootstrap_servers"]
    servers = [(host, port) for host, port, _ in collect_hosts(settings.bootstrap_servers, randomize=False)]
    return list(await asyncio.gather(*(_speak_to(settings, host, port, arguments) for host, port in servers)))


async def unavailable(settings: KafkaSettings, error: Exception) -> SourceUnavailable:
    """The error to raise when a client could not start: it says why, and which setting to look at, where that can be
    found out."""
    if isinstance(error, KafkaConnectionError | NodeNotReadyError):
        answers = await speak(settings)
        if all(isinstance(answer, Unreachable) for answer in answers):
            return SourceUnavailable("; ".join(map(str, answers)))
    return SourceUnavailable(f"{settings.bootstrap_servers}: {words(error)}")


class _Connection(AIOKafkaConnection):  # type: ignore[misc]  # aiokafka has no types
    """One that hears why a token is refused: the broker's words come where aiokafka expects an acceptance."""

    def authenticator_oauth(self) -> Any:
        return _HeardOut(sasl_oauth_token_provider=self._sasl_oauth_token_provider)


class _HeardOut(OAuthAuthenticator):  # type: ignore[misc]  # aiokafka has no types
    async def step(self, payload: bytes | None) -> Any:
        if payload:
            raise SaslAuthenticationFailed(payload.decode("utf-8", "replace"))
        return await super().step(payload)


async def _speak_to(
    settings: KafkaSettings, host: str, port: int, arguments: Mapping[str, object]
) -> Spoken | Unreachable:
    server = f"{host}:{port}"
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            connection = await _connect(host, port, arguments)
    except (OSError, KafkaError) as error:
        return Unreachable(server, *_explained(settings, error))
    try:
        return Spoken(server, _versions(connection))
    finally:
        connection.close()


async def _connect(host: str, port: int, arguments: Mapping[str, object]) -> AIOKafkaConnection:
    """A connection on which a request has been answered, for a broker may hear who we are and refuse us only then."""
    connection = _Connection(host, port, **arguments)
    await connection.connect()
    try:
        answer = await connection.send(MetadataRequest([]))
    except BaseException:
        connection.close()
        raise
    if not answer.brokers:
        connection.close()
        raise KafkaConnectionError("an answer that names no broker")
    return connection


def _versions(connection: AIOKafkaConnection) -> dict[int, tuple[int, int]]:
    """aiokafka keeps them to itself."""
    return dict(connection._versions)


def _explained(settings: KafkaSettings, error: Exception) -> tuple[str, str]:
    """What is wrong, and the remedy."""
    cause = error.__cause__ if isinstance(error, KafkaConnectionError) and error.__cause__ else error
    match cause:
        case TokenUnavailable():
            return _bare(cause), _credentials(settings)
        case ssl.SSLError():
            return _explained_tls(settings, cause)
        case UnsupportedSaslMechanismError():
            return f"{settings.sasl_mechanism} is not offered: {_bare(cause)}", f"{_NAMES}SASL_MECHANISM"
        case SaslAuthenticationFailed():
            return f"authentication failed: {_bare(cause)}", _credentials(settings)
        case IllegalSaslStateError():
            return "this listener takes no SASL", f"{_PROTOCOL} is {settings.security_protocol}"
        case socket.gaierror():
            return f"the name cannot be resolved: {cause.strerror}", _ADDRESS
        case TimeoutError():
            return f"no answer within {CONNECT_SECONDS:g} s", f"{_ADDRESS}, {_PROTOCOL}, and whatever lies between"
        case asyncio.IncompleteReadError() | ConnectionResetError() | KafkaConnectionError():
            return "the connection was closed before an answer came", _closed(settings)
        case OSError():
            return f"no connection: {cause.strerror or cause}", f"{_ADDRESS}, and whether the broker runs"
        case _:
            return words(cause), _credentials(settings)


def _explained_tls(settings: KafkaSettings, error: ssl.SSLError) -> tuple[str, str]:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the broker's certificate is not trusted: {error.verify_message}",
            f"{_NAMES}SSL_CAFILE must hold its authority, and {_ADDRESS} a name that the certificate has",
        )
    told = (error.reason or str(error)).replace("_", " ").lower()
    if "alert" in told or "certificate required" in told:
        own = "is refused" if settings.ssl_certfile else "is wanted and not given"
        return f"TLS failed: {told}", f"{_NAMES}SSL_CERTFILE and {_NAMES}SSL_KEYFILE: a certificate of our own {own}"
    return f"TLS failed: {told}", f"{_PROTOCOL} is {settings.security_protocol}; the listener may not speak TLS"


def _credentials(settings: KafkaSettings) -> str:
    if settings.uses_oauth:
        return f"{_NAMES}SASL_OAUTH_TOKEN_URL, …_CLIENT_ID, …_CLIENT_SECRET and …_SCOPE"
    return f"{_NAMES}SASL_USERNAME and {_NAMES}SASL_PASSWORD" if settings.sasl_mechanism else _PROTOCOL


def _closed(settings: KafkaSettings) -> str:
    if "SSL" in settings.security_protocol:
        told = f"{_PROTOCOL} is {settings.security_protocol}; the listener may not speak TLS"
        return told if settings.ssl_certfile else f"{told}, or may want a certificate: {_NAMES}SSL_CERTFILE"
    return f"{_PROTOCOL} is {settings.security_protocol}; the listener may speak TLS or SASL"


def _bare(error: KafkaError) -> str:
    """aiokafka puts the number and the name of the error before its words."""
    return _PREAMBLE.sub("", str(error)) or type(error).__name__
