"""The way out for `holdings.metrics`: a producer of its own, so that nothing else waits for it or fails with it."""

from __future__ import annotations

import asyncio

import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from service.domain.published.worker_metrics import METRICS_TYPE, WorkerMetrics
from service.engine.ports import Outgoing, StoreUnavailable
from service.kafka.connection import connection_arguments, words
from service.kafka.records_out import CONTENT_TYPE
from service.kafka.topics import METRICS
from service.settings import KafkaSettings

PUBLISH_SECONDS = 5.0
"""For one event, connecting included. What takes longer is given up: the next event has the totals."""
CLOSE_SECONDS = 2.0


def metrics_record(told: WorkerMetrics, source: str) -> Outgoing:
    """The CloudEvent, under the worker's name. Pure."""
    until = told.until.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    attributes = {
        "specversion": "1.0",
        "id": f"{told.worker}/{until}",
        "source": source,
        "type": METRICS_TYPE,
        "time": until,
        "datacontenttype": "application/json",
        "data": told.model_dump(mode="json", by_alias=True),
    }
    return Outgoing(METRICS, told.worker.encode(), orjson.dumps(attributes), (CONTENT_TYPE,))


class MetricsTopic:
    """Publishes one event at a time. A producer that has failed is replaced by a new one the next time."""

    def __init__(self, settings: KafkaSettings, prefix: str, source: str) -> None:
        self._settings = settings
        self._topic = prefix + METRICS
        self._source = source
        self._producer: AIOKafkaProducer | None = None

    async def publish(self, told: WorkerMetrics) -> None:
        """Returns once it is stored. Raises `StoreUnavailable`, at the latest after `PUBLISH_SECONDS` and
        `CLOSE_SECONDS`."""
        record = metrics_record(told, self._source)
        try:
            async with asyncio.timeout(PUBLISH_SECONDS):
                producer = await self._started()
                await self._ensure_topic(producer)
                await producer.send_and_wait(self._topic, record.value, record.key, headers=list(record.headers))
        except (KafkaError, OSError) as error:  # a time-out is an OSError
            await self.close()
            raise StoreUnavailable(f"{self._topic}: {words(error)}") from error
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Blocks for `CLOSE_SECONDS` at most."""
        producer, self._producer = self._producer, None
        if producer is not None:
            closing = asyncio.ensure_future(producer.stop())
            closing.add_done_callback(lambda task: task.cancelled() or task.exception())
            await asyncio.wait((closing,), timeout=CLOSE_SECONDS)

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            self._producer = AIOKafkaProducer(**connection_arguments(self._settings))
            await self._producer.start()
        return self._producer

    async def _ensure_topic(self, producer: AIOKafkaProducer) -> None:
        """Raises `StoreUnavailable` at once where the producer itself would wait for the topic to appear."""
        cluster = producer.client.cluster
        if cluster.partitions_for_topic(self._topic) is None:
            await producer.client.add_topic(self._topic)
            await producer.client.force_metadata_update()
        if cluster.partitions_for_topic(self._topic) is None:
            raise StoreUnavailable(f"there is no topic {self._topic}, or it is closed to us")
