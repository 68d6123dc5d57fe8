"""What the commit loop of one partition asks of its store. Owns the pauses after what has failed, and tells the
observer of every attempt. It must not decide what is stored, nor when."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from service.domain.record import Partition
from service.engine.commit_batch import Batch
from service.engine.ports import (
    Ahead,
    Commit,
    CommitFailure,
    Observer,
    OwnershipLost,
    RecordsRefused,
    Store,
    StoreUnavailable,
)
from service.engine.progress import Progress

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 5.0
"""Between attempts at a commit that could not be stored."""

LONGEST_COMMIT_SECONDS = 120.0
"""Within which a store has stored a commit, or has given it up; that of others which go before it may take as long."""


class Storing:
    """One attempt at a time. Each returns whether it was stored, and raises `RecordsRefused`, and `OwnershipLost`."""

    def __init__(self, partition: Partition, store: Store, observer: Observer, progress: Progress) -> None:
        self._partition = partition
        self._store = store
        self._observer = observer
        self._progress = progress
        self._pause_seconds = FIRST_PAUSE_SECONDS

    async def commit(self, batch: Batch, offset: int, metadata: str) -> bool:
        """What of the batch is not published yet, and the position."""
        now = asyncio.get_running_loop().time
        started = now()
        if not await self._done(self._store.commit(batch.records(), offset, metadata)):
            return False
        stored = Commit(batch.all_records, batch.rows, batch.all_marks, now() - started)
        self._observer.committed(self._partition, stored)
        return True

    async def publish(self, batch: Batch, ahead: Ahead) -> bool:
        """What of the batch is not published yet, before its position."""
        if not await self._done(ahead.publish(batch.records())):
            return False
        batch.mark_published()
        return True

    async def put_off(self, why: str) -> None:
        """Tell that it was not stored, and pause."""
        self._observer.commit_failed(self._partition, CommitFailure.ABORTED, why)
        await asyncio.sleep(self._pause_seconds)
        self._pause_seconds = min(LONGEST_PAUSE_SECONDS, self._pause_seconds * 2)

    async def _done(self, asked: Awaitable[None]) -> bool:
        try:
            with self._progress.expecting(LONGEST_COMMIT_SECONDS):
                await asked
        except RecordsRefused:
            raise
        except StoreUnavailable as error:
            await self.put_off(str(error))
            return False
        except OwnershipLost as lost:
            self._observer.commit_failed(self._partition, lost.failure, str(lost))
            raise
        self._pause_seconds = FIRST_PAUSE_SECONDS
        return True
