"""Why a broker cannot be had: told with the settings to look at."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import trustme
from aiokafka.errors import (
    IllegalSaslStateError,
    InvalidTopicError,
    KafkaConnectionError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from pydantic import SecretStr

from service.kafka import diagnosis
from service.kafka.diagnosis import Unreachable, speak, unavailable
from service.settings import KafkaSettings

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.close()


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


@asynccontextmanager
async def listening(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """`127.0.0.1:<port>` of a server that is no broker."""
    server = await asyncio.start_server(handler, "127.0.0.1", 0, ssl=tls)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()


async def found(**settings: object) -> Unreachable:
    [answer] = await speak(KafkaSettings.model_validate(settings))
    assert isinstance(answer, Unreachable)
    return answer


async def test_a_port_on_which_nobody_listens_is_told() -> None:
    answer = await found(bootstrap_servers="127.0.0.1:1")

    assert answer.message.startswith("no connection: ")
    assert "RELAY_KAFKA__BOOTSTRAP_SERVERS" in answer.remedy


async def test_a_name_that_does_not_resolve_is_told() -> None:
    answer = await found(bootstrap_servers="broker.invalid:9092")

    assert answer.message.startswith("the name cannot be resolved")
    assert answer.remedy == "RELAY_KAFKA__BOOTSTRAP_SERVERS"


async def test_each_of_several_servers_is_asked() -> None:
    answers = await speak(KafkaSettings(bootstrap_servers="127.0.0.1:1,127.0.0.1:2"))

    assert [answer.server for answer in answers] == ["127.0.0.1:1", "127.0.0.1:2"]


async def test_whoever_hangs_up_may_speak_another_protocol() -> None:
    async with listening(hang_up) as server:
        answer = await found(bootstrap_servers=server)

    assert answer.message == "the connection was closed before an answer came"
    assert answer.remedy == "RELAY_KAFKA__SECURITY_PROTOCOL is PLAINTEXT; the listener may speak TLS or SASL"


async def test_whoever_says_nothing_is_left_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "CONNECT_SECONDS", 0.2)
    async with listening(say_nothing) as server:
        answer = await found(bootstrap_servers=server)

    assert answer.message == "no answer within 0.2 s"


async def test_a_certificate_that_nobody_vouches_for_is_told() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    async with listening(hang_up, context) as server:
        answer = await found(bootstrap_servers=server, security_protocol="SSL")

    assert answer.message.startswith("the broker's certificate is not trusted: ")
    assert "RELAY_KAFKA__SSL_CAFILE" in answer.remedy


async def test_a_listener_without_tls_is_told() -> None:
    async def answer_in_plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"this is no TLS at all, not even a little")
        writer.close()

    async with listening(answer_in_plain) as server:
        answer = await found(bootstrap_servers=server, security_protocol="SSL")

    assert answer.message.startswith("TLS failed: ")
    assert answer.remedy == "RELAY_KAFKA__SECURITY_PROTOCOL is SSL; the listener may not speak TLS"


@pytest.mark.parametrize(
    ("error", "message", "remedy"),
    [
        (
            SaslAuthenticationFailed("Authentication failed: Invalid username or password"),
            "authentication failed: Authentication failed: Invalid username or password",
            "RELAY_KAFKA__SASL_USERNAME and RELAY_KAFKA__SASL_PASSWORD",
        ),
        (
            UnsupportedSaslMechanismError("Enabled mechanisms are: ['SCRAM-SHA-512']"),
            "PLAIN is not offered: Enabled mechanisms are: ['SCRAM-SHA-512']",
            "RELAY_KAFKA__SASL_MECHANISM",
        ),
        (
            IllegalSaslStateError(),
            "this listener takes no SASL",
            "RELAY_KAFKA__SECURITY_PROTOCOL is SASL_PLAINTEXT",
        ),
    ],
)
async def test_what_a_broker_refuses_is_told_by_setting(
    error: Exception, message: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(diagnosis, "_connect", refuse)
    settings = KafkaSettings(
        security_protocol="SASL_PLAINTEXT", sasl_mechanism="PLAIN", sasl_username="u", sasl_password=SecretStr("hush")
    )

    told = await unavailable(settings, KafkaConnectionError("Unable to bootstrap"))

    assert str(told) == f"localhost:9092: {message} ({remedy})"


async def test_an_error_that_is_none_of_connecting_keeps_its_own_words() -> None:
    told = await unavailable(KafkaSettings(bootstrap_servers="127.0.0.1:1"), InvalidTopicError("a b"))

    assert str(told).startswith("127.0.0.1:1: ")
    assert "a b" in str(told)
