"""Which log a topic's name stands for: one that is deleted and made anew keeps its name and gets another id.

Offsets of the old log say nothing about the new one, and nothing else tells the two apart: where the new log is as
long as the old one was, a reader goes on in the middle of it without an error. So the id goes into the metadata of
every commit, where the next owner of the partition compares it, and is asked for while records are read.

aiokafka speaks versions of the metadata request that have no ids; this one is put together from its own parts. Brokers
have ids since Kafka 2.8. Where they do not, or do not let us see a topic, its id is unknown and nothing is compared.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    AbstractType,
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

from service.engine.pacing import Pace
from service.engine.ports import Ahead, Outgoing, Store

_MARK: Final = "~"
"""What stamped metadata begins with; the engine's own begins with the number of its version, or is empty."""
_END: Final = "~"
ID_CHARACTERS: Final = 22
STAMP_BYTES: Final = len(_MARK) + ID_CHARACTERS + len(_END)
"""How much longer a stamp makes the metadata of a commit."""


async def log_ids(admin: AIOKafkaAdminClient, topics: Collection[str]) -> Mapping[str, str]:
    """The id of each topic's log, of `ID_CHARACTERS` characters; topics that are not there or have none are left out.
    Raises `KafkaError`."""
    client = admin._client  # aiokafka offers no other way to send a request that it does not have
    try:
        answer = await client.send(client.get_random_node(), _LogIdsRequest(sorted(topics)))
    except NotImplementedError:  # aiokafka's word for a broker that does not have this version of the request
        return {}
    return {
        name: base64.urlsafe_b64encode(log_id).rstrip(b"=").decode()
        for code, name, log_id, *_ in answer.topics
        if code == 0 and any(log_id)
    }


def stamp(metadata: str, log_id: str | None) -> str:
    """The metadata of a commit, with the log that its offsets are of."""
    return metadata if log_id is None else f"{_MARK}{log_id}{_END}{metadata}"


def unstamp(stamped: str) -> tuple[str, str | None]:
    """The metadata, and the id of the log; None where it bears no stamp."""
    if not stamped.startswith(_MARK):
        return stamped, None
    log_id, _, metadata = stamped.removeprefix(_MARK).partition(_END)
    return metadata, log_id


class StampedStore:
    """A store whose commits say which log they are of."""

    def __init__(self, store: Store, log_id: str | None) -> None:
        self._store = store
        self._log_id = log_id

    @property
    def pace(self) -> Pace:
        return self._store.pace

    @property
    def ahead(self) -> Ahead | None:
        return self._store.ahead

    async def commit(self, records: Sequence[Outgoing], offset: int, metadata: str) -> None:
        await self._store.commit(records, offset, stamp(metadata, self._log_id))

    async def close(self) -> None:
        await self._store.close()


class _Uuid(AbstractType[bytes]):  # type: ignore[misc]  # aiokafka has no types
    """16 bytes; all zero where there is none."""

    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return value

    @classmethod
    def decode(cls, data: object) -> bytes:
        read: bytes = data.read(16)  # type: ignore[attr-defined]  # a BytesIO, in aiokafka's signature
        return read


class _LogIdsResponse(Response):  # type: ignore[misc]  # aiokafka has no types
    API_KEY = 3
    API_VERSION = 10
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString("utf-8")),
                ("port", Int32),
                ("rack", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("topic", CompactString("utf-8")),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("topic_authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_authorized_operations", Int32),
        ("tags", TaggedFields),
    )


class _LogIdsStruct(RequestStruct):  # type: ignore[misc]  # aiokafka has no types
    FLEXIBLE_VERSION = True
    API_KEY = 3
    API_VERSION = 10
    RESPONSE_TYPE = _LogIdsResponse
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(("topic_id", _Uuid), ("name", CompactString("utf-8")), ("tags", TaggedFields)),
        ),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _LogIdsRequest(Request[_LogIdsStruct]):  # type: ignore[misc]  # aiokafka has no types
    API_KEY = 3

    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[_LogIdsStruct]) -> _LogIdsStruct:
        return request_struct_class([(bytes(16), topic, {}) for topic in self._topics], False, False, False, {})
