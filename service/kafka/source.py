"""The way in: the consumer group. The only maker of `Record`.

Non-obvious:
- aiokafka's rebalances are eager: everything is revoked and given anew. A partition counts as kept when we stayed a
  member under the same member id; a member that was expelled comes back under another, and somebody else may have
  worked meanwhile.
- A partition is claimed by initialising the store first and reading the committed position after: only then can the
  last owner add nothing more.
- A topic that was deleted and made anew is another log, and what is known of the old one's offsets is not about it: see
  `log_identity`.
- aiokafka's consumer may come to its end without a word, or refuse to: see `background`.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple, Protocol

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import ConsumerStoppedError, IllegalStateError, KafkaError

from service.domain.record import Partition, Record
from service.engine.commit_metadata import MetadataDamaged, decode
from service.engine.offsets import Position
from service.engine.ports import AssignmentListener, Claim, OwnershipLost, SourceUnavailable, Store
from service.engine.pulse import suspend_aware_clock
from service.kafka import background
from service.kafka.connection import connection_arguments, member_id_of, words
from service.kafka.log_identity import StampedStore, log_ids, unstamp
from service.settings import KafkaSettings

FETCH_RECORDS = 500
"""At a time, so that no batch overruns the bounds of memory by much."""
FETCH_WAIT_MS = 50
"""For which a broker may hold back a fetch that finds nothing. One is under way at a time, and it asks for what was
neither paused nor at hand when it left: a partition that is resumed meanwhile waits until it is back. With the 500 of
aiokafka a worker with a backlog was idle for a quarter of the time. Shorter ones cost idle workers and brokers more."""
FETCH_SLACK_SECONDS = 0.1
"""By which a fetch may be late, before it is left to the next to take up."""
POLL_INTERVAL_MS = 600_000
METADATA_AGE_MS = 10_000
"""How long it may take until topics that were made anew, or got more partitions, are noticed."""
LOG_CHECK_SECONDS = 1.0
"""How often it is asked whether the topics are still the logs that they were; see `docs/guarantees.md`."""
LOG_CHECK_TIMEOUT_SECONDS = 2.0
STOP_SECONDS = 10.0
CLAIM_SECONDS = 60.0
ENDS_SECONDS = 5.0


class Stores(Protocol):
    """Makes the store of a partition; by the time it returns, the last owner can store nothing any more."""

    async def open(self, partition: Partition, consumer: AIOKafkaConsumer) -> Store: ...


class _Fetched(NamedTuple):
    """What came, and where things stood when it did."""

    batches: Mapping[TopicPartition, Sequence[ConsumerRecord]]
    seeks: Counter[Partition]
    epochs: Mapping[Partition, int]


class KafkaSource:
    """One member of the consumer group, subscribed to all input topics. Implements `engine.ports.Source`."""

    def __init__(
        self, settings: KafkaSettings, topics: Sequence[str], stores: Stores, damaged: MetadataListener
    ) -> None:
        self._settings = settings
        self._topics = tuple(topics)
        self._stores = stores
        self._damaged = damaged
        self._consumer: AIOKafkaConsumer | None = None
        self._admin: AIOKafkaAdminClient | None = None
        self._epochs: dict[Partition, int] = {}
        self._member_id: str | None = None
        self._assignments = 0
        self._confirmed_at: float | None = None
        """When what the group has confirmed last was asked, by `suspend_aware_clock`; None before the first
        assignment."""
        self._joining_at = 0.0
        self._log_ids: dict[Partition, str] = {}
        """Of the log that each claimed partition is of."""
        self._logs_checked_at = 0.0
        self._seeks: Counter[Partition] = Counter()
        self._fetching: asyncio.Future[_Fetched] | None = None
        """Under way, perhaps since an earlier fetch."""

    async def start(self, listener: AssignmentListener) -> None:
        settings = self._settings
        arguments = connection_arguments(settings)
        session_ms = round(settings.session_timeout_seconds * 1000)
        consumer = AIOKafkaConsumer(
            group_id=settings.group_id,
            enable_auto_commit=False,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_poll_interval_ms=POLL_INTERVAL_MS,
            metadata_max_age_ms=METADATA_AGE_MS,
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=max(100, min(3000, session_ms // 5)),
            rebalance_timeout_ms=round(settings.rebalance_timeout_seconds * 1000),
            **arguments,
        )
        admin = AIOKafkaAdminClient(**arguments)
        try:
            await admin.start()
            await consumer.start()
        except KafkaError as error:
            await asyncio.gather(background.end(consumer, STOP_SECONDS), admin.close(), return_exceptions=True)
            raise SourceUnavailable(f"{settings.bootstrap_servers}: {error}") from error
        background.watch_membership(
            consumer, partial(self._confirmed, consumer), partial(self._expelled, consumer, listener)
        )
        self._consumer, self._admin = consumer, admin
        consumer.subscribe(self._topics, listener=_Rebalances(self, consumer, listener))

    async def fetch(self, timeout_seconds: float) -> Sequence[Record]:
        consumer = self._joined()
        gone = background.ended(consumer)
        if gone:
            raise SourceUnavailable(f"the consumer has come to its end by itself: {', '.join(gone)}")
        if self._fetching is None:
            self._fetching = asyncio.ensure_future(self._fetched(consumer, timeout_seconds))
        await asyncio.wait((self._fetching,), timeout=timeout_seconds + FETCH_SLACK_SECONDS)
        if not self._fetching.done():
            return ()
        fetching, self._fetching = self._fetching, None
        try:
            batches, seeks, epochs = fetching.result()
            await self._check_logs()
        except (KafkaError, ConsumerStoppedError) as error:
            raise SourceUnavailable(words(error)) from error
        now = time.time()
        return [
            _record(consumed, epoch, now)
            for where, batch in batches.items()
            if (epoch := epochs.get(partition := Partition(where.topic, where.partition))) is not None
            and self._seeks[partition] == seeks[partition]  # else they come again, from where was sought
            for consumed in batch
        ]

    async def _fetched(self, consumer: AIOKafkaConsumer, timeout_seconds: float) -> _Fetched:
        """aiokafka waits here for the end of a rebalance, however long that takes, and must not be broken off."""
        batches = await consumer.getmany(timeout_ms=round(timeout_seconds * 1000), max_records=FETCH_RECORDS)
        return _Fetched(batches, self._seeks.copy(), dict(self._epochs))

    async def claim(self, partition: Partition) -> Claim:
        consumer = self._joined()
        try:
            async with asyncio.timeout(CLAIM_SECONDS):
                store = await self._stores.open(partition, consumer)
                try:
                    log_id = (await log_ids(self._asking(), (partition.topic,))).get(partition.topic)
                    position = await self._committed(partition, log_id)
                    self._seek(consumer, partition, position.frontier)
                except BaseException:
                    await store.close()
                    raise
        except IllegalStateError as error:
            raise OwnershipLost(str(error)) from error
        except (KafkaError, TimeoutError) as error:
            raise SourceUnavailable(words(error)) from error
        if log_id is not None:
            self._log_ids[partition] = log_id
        return Claim(position, StampedStore(store, log_id))

    async def ends(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        """One past the last offset that can be read of each. Raises `SourceUnavailable`, at the latest after
        `ENDS_SECONDS`."""
        wanted = self._assigned(partitions)
        try:
            async with asyncio.timeout(ENDS_SECONDS):
                ends = await self._joined().end_offsets(wanted) if wanted else {}
        except (KafkaError, ConsumerStoppedError, TimeoutError) as error:
            raise SourceUnavailable(words(error)) from error
        return {Partition(where.topic, where.partition): end for where, end in ends.items()}

    def silent_seconds(self) -> float:
        return 0.0 if self._confirmed_at is None else max(0.0, suspend_aware_clock() - self._confirmed_at)

    def seek(self, partition: Partition, offset: int) -> None:
        self._seek(self._joined(), partition, offset)

    def pause(self, partitions: Sequence[Partition]) -> None:
        self._joined().pause(*self._assigned(partitions))

    def resume(self, partitions: Sequence[Partition]) -> None:
        self._joined().resume(*self._assigned(partitions))

    async def stop(self) -> None:
        consumer, admin = self._consumer, self._admin
        self._consumer = self._admin = None
        self._epochs, self._member_id, self._confirmed_at = {}, None, None
        self._log_ids.clear()
        if consumer is not None:
            await background.end(consumer, STOP_SECONDS)
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)
            self._fetching = None
        if admin is not None:
            await asyncio.wait((asyncio.ensure_future(admin.close()),), timeout=STOP_SECONDS)

    def take_assignment(self, partitions: Sequence[Partition], member_id: str) -> Mapping[Partition, int]:
        """Called by the listener: the epochs of what is ours now."""
        kept = self._epochs if member_id == self._member_id else {}
        self._assignments += 1
        self._epochs = {partition: kept.get(partition, self._assignments) for partition in partitions}
        self._member_id = member_id
        self._confirmed_at = self._joining_at
        self._log_ids = {partition: log_id for partition, log_id in self._log_ids.items() if partition in self._epochs}
        return self._epochs

    def _confirmed(self, consumer: AIOKafkaConsumer, sent_at: float) -> None:
        if self.has(consumer) and self._confirmed_at is not None:
            self._confirmed_at = max(self._confirmed_at, sent_at)

    def _expelled(self, consumer: AIOKafkaConsumer, listener: AssignmentListener) -> None:
        if self.has(consumer):
            listener.expelled()

    def begin_to_join(self) -> None:
        """Called by the listener: the group is asked next to let us in, and what it answers is no younger than that."""
        self._joining_at = suspend_aware_clock()

    def has(self, consumer: AIOKafkaConsumer) -> bool:
        """Whether `consumer` is the one that the group knows now."""
        return self._consumer is consumer

    def member_id(self) -> str:
        """As the group knows us."""
        return member_id_of(self._joined())

    async def _committed(self, partition: Partition, log_id: str | None) -> Position:
        """Where to go on: the position that was committed, or the beginning where none was, or one of another log."""
        where = TopicPartition(*partition)
        offsets = await self._asking().list_consumer_group_offsets(self._settings.group_id, partitions=[where])
        committed = offsets.get(where)
        if committed is None or committed.offset < 0:
            return await self._beginning(where)
        metadata, committed_log_id = unstamp(committed.metadata)
        if log_id is not None and committed_log_id not in (None, log_id):
            return await self._beginning(where)
        try:
            return decode(committed.offset, metadata)
        except MetadataDamaged as error:
            self._damaged(partition, str(error))
            return Position(committed.offset)

    async def _beginning(self, where: TopicPartition) -> Position:
        earliest = await self._joined().beginning_offsets([where])
        return Position(earliest[where])

    async def _check_logs(self) -> None:
        """Asked after records were fetched and before they are handed on. Raises `SourceUnavailable` when a topic was
        made anew: whoever claims its partitions then begins at their beginning."""
        now = time.monotonic()
        if now < self._logs_checked_at + LOG_CHECK_SECONDS or not self._log_ids:
            return
        self._logs_checked_at = now
        known = dict(self._log_ids)
        try:
            async with asyncio.timeout(LOG_CHECK_TIMEOUT_SECONDS):
                ids = await log_ids(self._asking(), {partition.topic for partition in known})
        except (KafkaError, TimeoutError):
            return  # brokers that are away show elsewhere, and make no topic anew meanwhile
        anew = sorted({p.topic for p, log_id in known.items() if ids.get(p.topic, log_id) != log_id})
        if anew:
            raise SourceUnavailable(f"deleted and made anew: {', '.join(anew)}")

    def _assigned(self, partitions: Sequence[Partition]) -> list[TopicPartition]:
        assignment = self._joined().assignment()
        return [where for partition in partitions if (where := TopicPartition(*partition)) in assignment]

    def _asking(self) -> AIOKafkaAdminClient:
        if self._admin is None:
            raise OwnershipLost("the worker has left its group")
        return self._admin

    def _seek(self, consumer: AIOKafkaConsumer, partition: Partition, offset: int) -> None:
        """What was fetched before must not be handed on any more: it may lie behind what comes from `offset` on."""
        self._seeks[partition] += 1
        consumer.seek(TopicPartition(*partition), offset)

    def _joined(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            raise SourceUnavailable("the worker has left its group")
        return self._consumer


class MetadataListener(Protocol):
    """Told of committed metadata that could not be read; the frontier alone is used."""

    def __call__(self, partition: Partition, message: str) -> None: ...


class _Rebalances(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Hands aiokafka's callbacks on, as long as they are those of the consumer that the source has now: one that was
    stopped may still be in the middle of a rebalance."""

    def __init__(self, source: KafkaSource, consumer: AIOKafkaConsumer, listener: AssignmentListener) -> None:
        self._source = source
        self._consumer = consumer
        self._listener = listener

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        if not self._source.has(self._consumer):
            return
        if revoked:
            await self._listener.revoking()
        self._source.begin_to_join()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        if not self._source.has(self._consumer):
            return
        partitions = sorted(Partition(where.topic, where.partition) for where in assigned)
        await self._listener.assigned(self._source.take_assignment(partitions, self._source.member_id()))


def _record(consumed: ConsumerRecord, epoch: int, now: float) -> Record:
    return Record(
        Partition(consumed.topic, consumed.partition),
        consumed.offset,
        consumed.key,
        consumed.value,
        tuple(consumed.headers),
        epoch,
        now,
        consumed.timestamp / 1000 if consumed.timestamp >= 0 else None,
    )
