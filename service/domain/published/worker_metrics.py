"""`holdings.metrics`: how one worker has fared in an interval, and how it stands at its end. Published, never consumed.

Counts come twice: `count` is of the interval, `total` since the worker started, so that an event that was lost can be
made up for.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field

from service.domain.published.result import Count, Published

METRICS_TYPE: Final = "holdings.metrics"

Seconds = Annotated[float, Field(ge=0)]


class Counted(Published):
    """Something that is counted."""

    count: Annotated[Count, Field(description="In the interval.")]
    total: Annotated[Count, Field(description="Since the worker started.")]


class EventCount(Counted):
    """Events settled."""

    type: Annotated[str, Field(description="`none` where it was refused before anything was called.")]
    outcome: Literal["succeeded", "unchanged", "partial", "failed"]


class Quantiles(Published):
    """Of durations in the interval, estimated from the buckets of the histogram."""

    p50: Seconds
    p95: Seconds
    p99: Seconds


class CallCount(Counted):
    """Calls of one kind."""

    system: str
    operation: Annotated[str, Field(description="The call's own name, e.g. `put`.", examples=["put"])]
    status: Annotated[Count, Field(description="Of HTTP; 0 is no answer.")]
    latency_seconds: Annotated[Quantiles | None, Field(description="null when there was no call in the interval.")]


class RetryCount(Counted):
    """Attempts that came to nothing and are repeated."""

    system: str


class DeadLetterCount(Counted):
    """Dead letters stored."""

    code: Annotated[str, Field(description="Of the first failure; see docs/codes.md.", examples=["refused"])]


class PartitionLag(Published):
    """An input partition that the worker owns."""

    topic: str
    partition: Count
    lag: Annotated[Count | None, Field(description="Records from the committed offset to the end; null if unknown.")]
    oldest_unfinished_seconds: Annotated[Seconds, Field(description="Age of the lowest unfinished record; 0 if none.")]
    paused: Annotated[bool, Field(description="Whether its intake rests.")]


class CircuitState(Published):
    """A system that has been asked, as one tenant sees it."""

    system: str
    tenant: Annotated[str | None, Field(description="FOLIO tenant or HoldingsIQ customer; null where there is none.")]
    state: Literal["closed", "open"]
    reason: Annotated[
        Literal["failing", "quota", "credentials"] | None, Field(description="Why it is open; null while it is closed.")
    ]
    since: Annotated[AwareDatetime | None, Field(description="Since when it is open for this reason.")]


class QuotaState(Published):
    """The daily quota of a system that has one."""

    system: Literal["eholdings", "holdingsiq"]
    tenant: str | None
    left: Annotated[
        Count | None, Field(description="0 while it is spent; null otherwise, for the systems do not tell it.")
    ]
    spent_since: AwareDatetime | None


class WorkerMetrics(Published):
    """The `data` of a `holdings.metrics`."""

    worker: Annotated[str, Field(description="Host and process; also the record's key.", examples=["relay-0-1"])]
    version: str
    group: Annotated[str, Field(description="The consumer group.")]
    started_at: AwareDatetime
    since: Annotated[AwareDatetime, Field(description="Where the interval begins.")]
    until: Annotated[AwareDatetime, Field(description="Where it ends.")]
    final: Annotated[bool, Field(description="Whether the worker has stopped: it says no more after this.")]
    events: tuple[EventCount, ...]
    calls: tuple[CallCount, ...]
    retries: tuple[RetryCount, ...]
    dead_letters: tuple[DeadLetterCount, ...]
    lag: tuple[PartitionLag, ...]
    circuits: tuple[CircuitState, ...]
    quotas: tuple[QuotaState, ...]
