"""Makes a result fit where it is to be stored. Pure; knows the form of a result, and nothing of outcomes.

A result that cannot be stored would hold its partition up for ever, so it is cut rather than lost: first its
texts, then its lists. The dead letter beside it has the whole event.
"""

from __future__ import annotations

from typing import Any

import orjson

from service.domain.codes import Code

_LEAST_BYTES = 100
"""An operation takes at least as many, so that no more than that need be looked at."""

SHORT_TEXT = 128
"""Characters that are left of each text in a result that would be larger. Texts that long are ids gone wrong."""


def fitted(event: dict[str, Any], max_bytes: int) -> bytes:
    """The result as JSON of at most `max_bytes`.

    Too large as it is, its texts are shortened to `SHORT_TEXT`. Still too large, `operations` and every `faults` keep
    as many entries as fit, those operations first that failed by themselves; `operationsLeftOut` and `faultsLeftOut`
    beside them say how many went.
    """
    value = orjson.dumps(event)
    if len(value) <= max_bytes:
        return value
    short = _shortened({**event, "data": _cut(event["data"], max_bytes // _LEAST_BYTES)})
    value = orjson.dumps(short)
    keep = max(len(short["data"]["operations"]), len(short["data"].get("faults", ())))
    while len(value) > max_bytes and keep > 1:
        keep = max(1, min(keep - 1, keep * max_bytes // len(value)))
        value = orjson.dumps({**short, "data": _cut(short["data"], keep)})
    return value


def _shortened(value: Any) -> Any:
    match value:
        case str():
            return value if len(value) <= SHORT_TEXT else value[:SHORT_TEXT] + "…"
        case dict():
            return {name: _shortened(inner) for name, inner in value.items()}
        case list():
            return [_shortened(inner) for inner in value]
        case _:
            return value


def _cut(data: dict[str, Any], keep: int) -> dict[str, Any]:
    operations = data["operations"]
    cut = {**_with_faults_cut(data, keep), "operations": [_with_faults_cut(o, keep) for o in _chosen(operations, keep)]}
    if len(operations) > keep:
        cut["operationsLeftOut"] = data.get("operationsLeftOut", 0) + len(operations) - keep
    return cut


def _chosen(operations: list[dict[str, Any]], keep: int) -> list[dict[str, Any]]:
    """As many of the operations, in their order; those that failed by themselves before all others."""
    told = (None, Code.NOT_ATTEMPTED)
    places = sorted(range(len(operations)), key=lambda place: operations[place]["code"] in told)[:keep]
    return [operations[place] for place in sorted(places)]


def _with_faults_cut(entry: dict[str, Any], keep: int) -> dict[str, Any]:
    faults = entry.get("faults", ())
    if len(faults) <= keep:
        return entry
    left_out = entry.get("faultsLeftOut", 0) + len(faults) - keep
    return {**entry, "faults": faults[:keep], "faultsLeftOut": left_out}
