"""A connection that was lost a moment ago is an error of Kafka's, on uvloop too."""

from __future__ import annotations

import asyncio

import pytest
import uvloop
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.metadata import MetadataRequest

import service.kafka.connection  # noqa: F401 - every client of ours is made with it


def test_what_is_sent_on_a_transport_that_has_just_closed_fails_as_a_broken_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def send_after_the_loss() -> RuntimeError | None:
        async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        async def no_lookup(_: AIOKafkaConnection) -> None: ...

        server = await asyncio.start_server(swallow, "127.0.0.1", 0)
        monkeypatch.setattr(AIOKafkaConnection, "_do_version_lookup", no_lookup)
        connection = AIOKafkaConnection("127.0.0.1", server.sockets[0].getsockname()[1], request_timeout_ms=5000)
        await connection.connect()
        connection._versions = {3: (0, 5)}
        connection._read_task.cancel()  # aiokafka has not heard of the loss yet
        connection._writer.transport.abort()
        await connection._closed_fut
        try:
            await connection.send(MetadataRequest([]))
        except RuntimeError as error:  # all of Kafka's errors are such
            return error
        finally:
            connection.close()
            server.close()
        return None

    assert isinstance(uvloop.run(send_after_the_loss()), KafkaConnectionError)
