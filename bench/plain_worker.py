"""The worker that a team would write first: aiokafka and httpx, at least once, no retries, no dead letters.

    python -m bench.plain_worker one-at-a-time | concurrent

`one-at-a-time` keeps the order by doing nothing else meanwhile; `concurrent` keeps it for each key by a lock. It makes
the same calls as the relay for the events of `bench.mixes`, and knows no others.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import httpx
import orjson
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

CONCURRENCY = 256
JSON_API = "application/vnd.api+json"


class Systems:
    """The calls. Raises `httpx.HTTPStatusError` for an answer that is no success."""

    def __init__(self, client: httpx.AsyncClient, url: str, token: str) -> None:
        self._client = client
        self._url = url
        self._headers = {"X-Okapi-Tenant": "bench", "X-Okapi-Token": token}

    async def carry_out(self, data: Mapping[str, Any]) -> None:
        eholdings, inventory = data["eholdings"], data.get("inventory")
        path = f"/eholdings/resources/{eholdings['resourceId']}"
        if eholdings["action"] == "remove":
            await self._send("DELETE", path)
            return
        read = orjson.loads(await self._send("GET", path))["data"]["attributes"]
        await self._send("PUT", path, _put_of(read, eholdings["attributes"]))
        if "tags" in eholdings and set(eholdings["tags"]) != set(read["tags"]["tagList"]):
            attributes = {"name": read["name"], "tags": {"tagList": eholdings["tags"]}}
            await self._send("PUT", path + "/tags", {"data": {"type": "tags", "attributes": attributes}})
        if inventory:
            await self._send("PUT", "/shared-inventory-upsert-matchkey", _shared_set(inventory), "application/json")

    async def _send(
        self, method: str, path: str, content: Mapping[str, Any] | None = None, media_type: str = JSON_API
    ) -> bytes:
        headers = self._headers | {"Accept": media_type, "Content-Type": media_type}
        body = None if content is None else orjson.dumps(content)
        response = await self._client.request(method, self._url + path, headers=headers, content=body)
        response.raise_for_status()
        return response.content


def _put_of(read: Mapping[str, Any], patch: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a PUT would clear is sent as it was read."""
    kept = {name: read[name] for name in ("isSelected", "customCoverages", "customEmbargoPeriod")}
    return {"data": {"type": "resources", "attributes": {**kept, **patch}}}


def _shared_set(operation: Mapping[str, Any]) -> Mapping[str, Any]:
    names = ("institutionId", "localIdentifier", "identifierTypeId")
    processing = {name: operation[name] for name in names} | {"item": {"status": {"policy": "retain"}}}
    return {name: operation[name] for name in ("instance", "holdingsRecords")} | {"processing": processing}


async def work(*, concurrent: bool) -> None:
    servers, prefix = os.environ["RELAY_KAFKA__BOOTSTRAP_SERVERS"], os.environ["RELAY_TOPICS__PREFIX"]
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
        systems = Systems(client, os.environ["RELAY_FOLIO__URL"], os.environ["RELAY_FOLIO__TOKEN"])

        async def handle(record: ConsumerRecord) -> None:
            async with locks[record.key], slots:
                event = orjson.loads(record.value)
                await systems.carry_out(event["data"])
            result = {"id": event["id"], "data": {"event": {"id": event["id"]}, "outcome": "succeeded"}}
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
