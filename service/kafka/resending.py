"""Sends records to where they came from, some at a time, all of those or none.

With transactions, one command at a time: whoever starts next ends what the last one left open and lets it send nothing
more. So what is read after the start is all that any earlier one has sent. Without transactions nothing fences an
earlier one; a record is still not doubled by retries of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, ProducerFenced

from service.domain.record import Headers, Partition
from service.engine.ports import Outgoing, SourceUnavailable
from service.kafka.admission import Admission
from service.kafka.connection import MAX_REQUEST_BYTES, connection_arguments, words
from service.kafka.diagnosis import unavailable
from service.settings import KafkaSettings

START_SECONDS: Final = 60.0
SEND_SECONDS: Final = 60.0
_CLOSE_SECONDS: Final = 5.0


class TakenOver(Exception):
    """Another one has started since: it goes on where this one was."""


@dataclass(frozen=True, slots=True)
class Resent:
    """A record to send. Its partition has its full name, and must exist."""

    partition: Partition
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp_ms: int


class Resender:
    """`async with Resender(...) as resender`. Raises `SourceUnavailable` when Kafka cannot be had."""

    def __init__(self, settings: KafkaSettings, *, transactional: bool) -> None:
        self._settings = settings
        self._transactional = transactional
        self._admission = Admission(settings)

    async def __aenter__(self) -> Self:
        arguments: dict[str, Any] = {"enable_idempotence": True}
        if self._transactional:
            arguments = {
                "transactional_id": f"{self._settings.group_id}.dead-letters-replay",
                "transaction_timeout_ms": round(SEND_SECONDS * 1000),
            }
        self._producer = AIOKafkaProducer(
            max_request_size=MAX_REQUEST_BYTES, **arguments, **connection_arguments(self._settings)
        )
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._producer.start()
        except (KafkaError, TimeoutError) as error:
            await self._close()
            raise await unavailable(self._settings, error) from error
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def refusals(self, records: Sequence[Resent]) -> dict[int, str]:
        """Why which of `records`, by their places, would not be taken. To be asked before they are sent: a broker that
        refuses one takes nothing more."""
        asked = [Outgoing(one.partition.topic, one.key, one.value, one.headers) for one in records]
        try:
            return await self._admission.refusals(self._producer, "", asked)
        except (KafkaError, TimeoutError) as error:
            raise self._unavailable(error) from error

    async def send(self, records: Sequence[Resent]) -> None:
        """Send in this order, and wait until they are stored: all or none, with transactions.

        Raises `TakenOver`, and `SourceUnavailable`, after which nobody knows whether they were stored.
        """
        try:
            async with asyncio.timeout(SEND_SECONDS):
                if self._transactional:
                    async with self._producer.transaction():
                        await self._send_all(records)
                else:
                    await self._send_all(records)
        except ProducerFenced as error:
            raise TakenOver from error
        except (KafkaError, TimeoutError, AssertionError) as error:
            raise self._unavailable(error) from error

    async def _send_all(self, records: Sequence[Resent]) -> None:
        """Every future is awaited even when one fails, so that none is left with an error that nobody has seen."""
        sending: list[asyncio.Future[object]] = []
        try:
            for one in records:
                sending.append(await self._send(one))  # noqa: PERF401 - kept when one fails
        finally:
            outcomes = await asyncio.gather(*sending, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _send(self, one: Resent) -> asyncio.Future[object]:
        """A batch of its own for a record with neither key nor value, which aiokafka refuses and Kafka does not."""
        topic, partition = one.partition
        headers = list(one.headers)
        sent: asyncio.Future[object]
        if one.key is None and one.value is None:
            batch = self._producer.create_batch()
            batch.append(key=None, value=None, timestamp=one.timestamp_ms, headers=headers)
            batch.close()
            sent = await self._producer.send_batch(batch, topic, partition=partition)
        else:
            sent = await self._producer.send(topic, one.value, one.key, partition, one.timestamp_ms, headers)
        return sent

    async def _close(self) -> None:
        """A producer that was fenced, or whose broker is gone, may not come to its end by itself."""
        closing = asyncio.ensure_future(self._producer.stop())
        closing.add_done_callback(lambda task: task.cancelled() or task.exception())
        await asyncio.wait((closing,), timeout=_CLOSE_SECONDS)

    def _unavailable(self, error: Exception) -> SourceUnavailable:
        return SourceUnavailable(f"{self._settings.bootstrap_servers}: {words(error)}")
