"""What the demonstration is made of: records to publish, each with what must become of it.

Pure values. `samples` makes them; nothing here knows Kafka or the sandbox beyond the shape of their input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from service.domain.answers import Verdict
from service.domain.codes import Code
from service.domain.operations import EventIdentity
from service.domain.outcomes import UNREAD, Overall
from service.engine.ports import Outgoing
from service.sandbox.exchange import JsonValue
from service.sandbox.faults import Fault

JsonObject: TypeAlias = dict[str, JsonValue]

Word: TypeAlias = Verdict | Code
"""What becomes of one operation: `succeeded`, `unchanged`, or the code with which it failed."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the result must say: a word for each entry of its `operations`, in their order.

    `retried`: at least one of them must have taken more than one attempt.
    """

    operations: tuple[Word, ...]
    retried: bool = False

    @property
    def outcome(self) -> Overall:
        """The outcome of the whole event, by the words of the contract."""
        failures = sum(isinstance(word, Code) for word in self.operations)
        if failures:
            return Overall.FAILED if failures == len(self.operations) else Overall.PARTIAL
        return Overall.SUCCEEDED if Verdict.SUCCEEDED in self.operations else Overall.UNCHANGED

    @property
    def code(self) -> Code | None:
        """The code that the dead letter must carry; None where there must be no dead letter."""
        codes = [word for word in self.operations if isinstance(word, Code)]
        return next((code for code in codes if code is not Code.NOT_ATTEMPTED), None)


@dataclass(frozen=True, slots=True)
class Change:
    """One operation that must hold in a system once the event is done. `operation` is as the event says it; that of
    SCSB is one entry of the transfer with its `institution`."""

    system: str
    tenant: str
    operation: JsonObject


@dataclass(frozen=True, slots=True)
class Sample:
    """One record, and what must become of it. `title` tells people what happens; `faults` are armed before it is sent.

    `tenant` and `traceparent` are those that its result must carry.
    """

    title: str
    outgoing: Outgoing
    expected: Expected
    event: EventIdentity = UNREAD
    tenant: str | None = None
    traceparent: str | None = None
    changes: tuple[Change, ...] = ()
    faults: tuple[Fault, ...] = ()
    rows: int | None = None
    """That must be published of its export; None where it asks for none."""


@dataclass(frozen=True, slots=True)
class Story:
    """Samples about entities that no other story touches, all under one key, so that they are handled in this order.

    `seeds` are states as the sandbox's control API takes them.
    """

    samples: tuple[Sample, ...]
    seeds: tuple[JsonObject, ...] = field(default=())

    def plus(self, *seeds: JsonObject) -> Story:
        """The story with further seeds."""
        return replace(self, seeds=(*self.seeds, *seeds))


def interleaved(stories: Sequence[Story]) -> list[Sample]:
    """All samples, one of each story in turn, so that many entities are in flight at a time."""
    longest = max((len(story.samples) for story in stories), default=0)
    return [story.samples[turn] for turn in range(longest) for story in stories if turn < len(story.samples)]
