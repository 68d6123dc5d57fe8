"""What every store does with its producer: ask first whether records will be taken, judge what was refused after all,
and let go of it. Sends nothing itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, ProducerFenced, RecordListTooLargeError

from service.engine.ports import Outgoing, RecordsRefused, StoreUnavailable
from service.kafka.admission import Admission, stored_bytes
from service.kafka.connection import words
from service.kafka.sending import Refused

CLOSE_SECONDS = 5.0
_SIZE_REFUSALS = (MessageSizeTooLargeError, RecordListTooLargeError)


class Spoilt(Exception):
    """A broker has refused a record for good: it takes nothing more of this producer."""


async def ensure_admitted(
    admission: Admission, producer: AIOKafkaProducer, prefix: str, records: Sequence[Outgoing]
) -> None:
    """Returns when every record may be sent. Raises `RecordsRefused`, or `StoreUnavailable` when that cannot be found
    out."""
    try:
        refusals = await admission.refusals(producer, prefix, records)
    except (KafkaError, TimeoutError) as error:
        raise StoreUnavailable(f"what the topics take cannot be found out: {words(error)}") from error
    if refusals:
        raise RecordsRefused(refusals, "; ".join(sorted(set(refusals.values()))))


def judged(admission: Admission, prefix: str, refused: Refused) -> Exception:
    """What to raise to whoever wanted these records stored: `Spoilt`, or a `KafkaError` when nothing was refused."""
    error = refused.error
    if not isinstance(error, Exception):
        given_up: Exception = KafkaError("the producer has given a batch up")
        return given_up
    if isinstance(error, ProducerFenced):
        fenced: Exception = error
        return fenced
    topic = prefix + refused.records[0].topic
    if isinstance(error, _SIZE_REFUSALS):
        _learn(admission, topic, refused.records)
    spoilt = Spoilt(f"{topic}: {words(error)}")
    spoilt.__cause__ = error
    return spoilt


def _learn(admission: Admission, topic: str, refused: Sequence[Outgoing]) -> None:
    """From a batch that was too large."""
    if len(refused) == 1:
        admission.learn(topic, stored_bytes(refused[0]))
    else:
        admission.learn_of_several(topic)


async def close(producer: AIOKafkaProducer) -> None:
    """A producer whose broker is gone, or who was fenced, may not come to its end by itself."""
    closing = asyncio.ensure_future(producer.stop())
    closing.add_done_callback(lambda task: task.cancelled() or task.exception())
    await asyncio.wait((closing,), timeout=CLOSE_SECONDS)
