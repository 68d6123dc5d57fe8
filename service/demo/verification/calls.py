"""Whether the calls were as they should be: traces carried on, troubles met, nothing called for what was refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from service.demo.sample import Change, Sample
from service.demo.verification.comparing import Check
from service.sandbox.faults import ArmedFault
from service.sandbox.ledger import Entry

_TRACED: Final = "The trace of every event that has one and was carried out reached a system"
_MET: Final = "Every trouble that was prepared was met"
_TRACED_SYSTEMS: Final = ("eholdings", "scsb")
"""Whose calls are about one event alone; a call of inventory may carry several. So may one of eholdings, where several
samples are about one resource."""


def check_calls(samples: Sequence[Sample], ledger: Sequence[Entry], faults: Sequence[ArmedFault]) -> list[Check]:
    """The checks of what reached the sandbox."""
    seen = {entry.call.header("traceparent") for entry in ledger}
    touched = Counter(_resources(samples))
    traced = [sample for sample in samples if sample.traceparent and _is_called_alone(sample, touched)]
    return [
        Check(_TRACED, len(traced), tuple(_untraced(traced, seen))),
        Check(_MET, len(faults), tuple(f"never met: {armed.name}" for armed in faults if not armed.hit)),
    ]


def _resources(samples: Sequence[Sample]) -> Iterator[object]:
    for sample in samples:
        yield from {_resource_of(change) for change in sample.changes if change.system == "eholdings"}


def _resource_of(change: Change) -> object:
    return change.tenant, change.operation.get("resourceId")


def _is_called_alone(sample: Sample, touched: Mapping[object, int]) -> bool:
    mine = [change for change in sample.changes if change.system in _TRACED_SYSTEMS]
    return any(change.system != "eholdings" or touched[_resource_of(change)] == 1 for change in mine)


def _untraced(traced: Sequence[Sample], seen: set[str | None]) -> Iterator[str]:
    # The trace is carried on under a span of the relay's own, or as it came: its id is what must be the same.
    ids = {text.split("-")[1] for text in seen if text and text.count("-") >= 3}
    for sample in traced:
        if sample.traceparent and sample.traceparent.split("-")[1] not in ids:
            yield f"{sample.event.id} ({sample.title}): {sample.traceparent} reached no system"
