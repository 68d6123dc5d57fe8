"""The worker that a team would write first: aiokafka and httpx, at least once, no retries, no dead letters.

    python -m bench.plain_worker one-at-a-time | concurrent

`one-at-a-time` keeps the order by doing nothing else meanwhile; `concurrent` keeps it for each key by a lock.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from collections import defaultdict

import httpx
import orjson
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

CONCURRENCY = 256


async def work(*, concurrent: bool) -> None:
    servers, prefix = os.environ["RELAY_KAFKA__BOOTSTRAP_SERVERS"], os.environ["RELAY_TOPICS__PREFIX"]
    url, token = os.environ["RELAY_FOLIO__URL"], os.environ["RELAY_FOLIO__TOKEN"]
    consumer = AIOKafkaConsumer(
        prefix + "holdings.changes",
        bootstrap_servers=servers,
        group_id=os.environ["RELAY_KAFKA__GROUP_ID"],
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    producer = AIOKafkaProducer(bootstrap_servers=servers, enable_idempotence=True)
    locks: defaultdict[bytes | None, asyncio.Lock] = defaultdict(asyncio.Lock)
    slots = asyncio.Semaphore(CONCURRENCY)
    limits = httpx.Limits(max_connections=CONCURRENCY, max_keepalive_connections=CONCURRENCY)

    async with consumer, producer, httpx.AsyncClient(limits=limits, timeout=30) as client:

        async def handle(record: ConsumerRecord) -> None:
            async with locks[record.key], slots:
                event = orjson.loads(record.value)
                path = f"{url}/eholdings/resources/{event['data']['eholdings']['resourceId']}"
                response = await client.delete(path, headers={"X-Okapi-Tenant": "bench", "X-Okapi-Token": token})
            result = {"id": event["id"], "data": {"event": {"id": event["id"]}, "status": response.status_code}}
            await producer.send_and_wait(prefix + "holdings.results", orjson.dumps(result), record.key)

        while True:
            batches = await consumer.getmany(timeout_ms=100, max_records=500)
            records = [record for batch in batches.values() for record in batch]
            if concurrent:
                await asyncio.gather(*(handle(record) for record in records))
            else:
                for record in records:
                    await handle(record)
            if records:
                await consumer.commit()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("one-at-a-time", "concurrent"))
    uvloop.run(work(concurrent=parser.parse_args().kind == "concurrent"))
