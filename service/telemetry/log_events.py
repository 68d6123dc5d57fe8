"""Every line that the worker logs, declared once: its name, its level, and what it says."""

from __future__ import annotations

import logging
import traceback
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import structlog

Level: TypeAlias = Literal["debug", "info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One kind of line."""

    name: str
    level: Level
    text: str
    fields: tuple[str, ...] = ()
    """Beside `event`, `level` and `timestamp`."""


_PARTITION: Final = ("topic", "partition")
_RECORD: Final = (*_PARTITION, "offset")
_EVENT: Final = (*_RECORD, "event_id", "tenant")

RELAY_STARTED: Final = LogEvent(
    "relay.started",
    "info",
    "Kafka and the topics are there; the worker joins its group.",
    ("version", "delivery", "group", "topics"),
)
SETTING_UNREAD: Final = LogEvent(
    "setting.unread", "warning", "A variable of the environment begins like a setting and is none.", ("message",)
)
RELAY_STOPPING: Final = LogEvent("relay.stopping", "info", "A signal asks the worker to stop.", ("signal",))
RELAY_STOPPED: Final = LogEvent("relay.stopped", "info", "The worker has ended.")
WORKER_SUSPENDED: Final = LogEvent(
    "worker.suspended",
    "warning",
    "The worker slept; every partition is proved ours before anything leaves.",
    ("seconds",),
)
WORKER_OUT_OF_TOUCH: Final = LogEvent(
    "worker.out_of_touch",
    "warning",
    "The group has not been heard of for half a session; nothing is called or stored until it is.",
    ("seconds",),
)
WORKER_IN_TOUCH: Final = LogEvent("worker.in_touch", "info", "The group is heard of again, or was left.")
WORKER_STALLED: Final = LogEvent(
    "worker.stalled",
    "error",
    "The loop is blocked, or the engine does not move on; told once with every stack.",
    ("trouble", "stacks"),
)
KAFKA_UNAVAILABLE: Final = LogEvent("kafka.unavailable", "error", "Kafka cannot be had, or refuses us.", ("reason",))
PARTITION_TAKEN: Final = LogEvent(
    "partition.taken", "info", "A partition is ours, from `offset` on.", (*_RECORD, "finished_beyond")
)
PARTITION_RELEASED: Final = LogEvent(
    "partition.released", "info", "A partition is ours no more.", (*_PARTITION, "reason")
)
PARTITION_LOST: Final = LogEvent(
    "partition.lost",
    "warning",
    "A partition was taken away, or could not be claimed; the worker joins its group anew.",
    (*_PARTITION, "reason"),
)
COMMIT_FAILED: Final = LogEvent(
    "commit.failed",
    "error",
    "A commit was not stored; `kind` is as in `relay_commit_failures_total`.",
    (*_PARTITION, "kind", "reason"),
)
METADATA_DAMAGED: Final = LogEvent(
    "commit.metadata_damaged",
    "warning",
    "The metadata of a committed offset cannot be read; the offset alone is used.",
    (*_PARTITION, "reason"),
)
RECORD_SETTLED: Final = LogEvent(
    "record.settled", "debug", "A result is stored, and nothing of the event failed.", (*_EVENT, "outcome")
)
RECORD_DEAD_LETTERED: Final = LogEvent(
    "record.dead_lettered",
    "error",
    "A result and a dead letter are stored; the first failure is told.",
    (*_EVENT, "outcome", "code", "system", "target", "status", "message"),
)
RECORD_HELD: Final = LogEvent(
    "record.held", "error", "An outcome cannot be stored for now; it is tried again and again.", (*_EVENT, "reason")
)
RECORD_DROPPED: Final = LogEvent(
    "record.dropped",
    "debug",
    "A record is given up without an outcome: the next owner of its partition does it.",
    (*_RECORD, "reason"),
)
CALL_RETRY_SCHEDULED: Final = LogEvent(
    "call.retry_scheduled",
    "warning",
    "An attempt came to nothing and is repeated.",
    (*_EVENT, "system", "attempts", "pause_seconds", "message"),
)
CALL_BROKEN: Final = LogEvent(
    "call.broken",
    "error",
    "The relay itself failed in an attempt: a defect. Its place is told, its words are not.",
    (*_EVENT, "error", "places"),
)
CIRCUIT_OPENED: Final = LogEvent(
    "circuit.opened",
    "error",
    "A system is not asked for now; `reason` says why.",
    ("system", "tenant", "reason", "message"),
)
CIRCUIT_CLOSED: Final = LogEvent(
    "circuit.closed", "info", "The system is asked again.", ("system", "tenant", "reason", "open_seconds")
)
TELEMETRY_FAILED: Final = LogEvent(
    "telemetry.failed",
    "error",
    "Something that only watches the worker has ended by a defect; the worker goes on.",
    ("task", "error", "places"),
)
METRICS_NOT_PUBLISHED: Final = LogEvent(
    "metrics.not_published",
    "warning",
    "An event for `holdings.metrics` was given up. Told once until one is stored.",
    ("reason",),
)

LIBRARY_WARNED: Final = LogEvent(
    "library.warned",
    "warning",
    "A warning of a library, by its logger's name.",
    ("logger", "message", "error", "places"),
)
LIBRARY_FAILED: Final = LogEvent(
    "library.failed", "error", "An error of a library, by its logger's name.", ("logger", "message", "error", "places")
)

LOG_EVENTS: Final = tuple(value for value in list(globals().values()) if isinstance(value, LogEvent))
"""All of them, in this order."""


_LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class Log:
    """Says lines at their own level. The only way in which the worker logs."""

    def __init__(self) -> None:
        """After `logs.configure`: the configuration of that moment is kept, which spares each line its lookup."""
        self._logger = structlog.get_logger().bind()

    def says(self, event: LogEvent) -> bool:
        """Whether such a line is written at all: what it would say need not be put together otherwise."""
        return bool(self._logger.is_enabled_for(_LEVELS[event.level]))

    def say(self, event: LogEvent, **fields: object) -> None:
        """One line."""
        getattr(self._logger, event.level)(event.name, **fields)


def places(error: BaseException) -> list[str]:
    """Where an error was raised, outermost first. Its words are left out: they may hold anything."""
    return [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)]
