"""The stamp that says which log a commit's offsets are of."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from service.engine.commit_metadata import MAX_BYTES, encode
from service.engine.offsets import Position
from service.engine.pacing import Pace
from service.engine.ports import Ahead, Outgoing
from service.kafka.log_identity import ID_CHARACTERS, STAMP_BYTES, StampedStore, stamp, unstamp

LOG_ID = "p5Yx-3nDTgOZ2_8WmQhK1A"


@given(st.text())
def test_what_was_stamped_is_read_back_whatever_it_is(metadata: str) -> None:
    assert unstamp(stamp(metadata, LOG_ID)) == (metadata, LOG_ID)


def test_metadata_of_a_log_without_an_id_bears_no_stamp() -> None:
    metadata = encode(Position(3, ((5, 9),)))

    assert stamp(metadata, None) == metadata
    assert unstamp(metadata) == (metadata, None)
    assert unstamp("") == ("", None)


def test_a_stamp_is_as_long_as_it_says() -> None:
    assert len(LOG_ID) == ID_CHARACTERS
    assert len(stamp("", LOG_ID)) == STAMP_BYTES
    assert MAX_BYTES + STAMP_BYTES == 4000


class RecordingStore:
    pace = Pace(spacing_seconds=1.0)

    def __init__(self) -> None:
        self.ahead = Ahead(self.publish, seconds=0.1)
        self.metadata: list[str] = []

    async def publish(self, records: Sequence[Outgoing]) -> None: ...

    async def commit(self, records: Sequence[Outgoing], offset: int, metadata: str) -> None:
        self.metadata.append(metadata)

    async def close(self) -> None: ...


async def test_every_commit_of_a_stamped_store_says_which_log_it_is_of() -> None:
    inner = RecordingStore()

    await StampedStore(inner, LOG_ID).commit((), 7, "1.abc.def")

    assert inner.metadata == [stamp("1.abc.def", LOG_ID)]


def test_a_stamped_store_is_asked_at_the_pace_of_the_one_in_it_which_publishes_ahead_of_it() -> None:
    inner = RecordingStore()

    store = StampedStore(inner, LOG_ID)

    assert (store.pace, store.ahead) == (inner.pace, inner.ahead)
