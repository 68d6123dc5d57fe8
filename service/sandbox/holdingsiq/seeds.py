"""Seed data of HoldingsIQ: builders for tests and the demonstration, and reading it with errors that name the field.

Owns the shape of a customer's state:
`{"quota"?: {"limit", "used"?}, "plan"?: Plan, "upcoming"?: [Plan], "exports"?: {id: {"type"?, "format"?, "created"?,
"polls"?, "plan"?: Plan}}}`; for a `Plan` see `plans.py`, for its `file` see `csv_file.py`. An export that is loaded is
done at once unless its plan says otherwise. `created` is an ISO time with offset; absent, the moment of loading.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from service.sandbox.exchange import JsonValue
from service.sandbox.holdingsiq.columns import COLUMNS
from service.sandbox.holdingsiq.customers import Customer
from service.sandbox.holdingsiq.exports import Export, JsonObject
from service.sandbox.holdingsiq.plans import READY, Plan, read_plan
from service.sandbox.holdingsiq.reading import number_at, optional_text_at
from service.sandbox.quota import read_quota, write_quota
from service.sandbox.seeds import StateError, array_at, object_at, require_known

FORMAT: Final = "CSV"
CALLS_PER_DAY: Final = 30_000
"""Of one customer; those of EBSCO's own sandbox have 10,000."""


def holdingsiq_state(*, link_seconds: float = 1800, **customers: JsonObject) -> JsonObject:
    """A state for `HoldingsIq.load`: `holdingsiq_state(apidemo=customer(plan=Plan(file=CsvFile(rows=3))))`."""
    return {"linkSeconds": link_seconds, "customers": {**customers}}


def customer(
    *exports: tuple[str, JsonObject],
    plan: Plan | None = None,
    upcoming: Iterable[Plan] = (),
    quota_limit: int | None = CALLS_PER_DAY,
    quota_used: int = 0,
) -> JsonObject:
    """A customer with exports that exist, and what is planned for those to come."""
    return {
        "quota": {"limit": quota_limit, "used": quota_used},
        "plan": (plan or Plan()).to_json(),
        "upcoming": [planned.to_json() for planned in upcoming],
        "exports": dict(exports),
    }


def export(
    export_id: str, export_type: str = "KBART2", *, plan: Plan = READY, created: str | None = None
) -> tuple[str, JsonObject]:
    """An export that exists, done unless its plan says otherwise."""
    content: JsonObject = {"type": export_type, "plan": plan.to_json()}
    return export_id, content if created is None else {**content, "created": created}


def read_customer(known: Customer, content: JsonValue, where: str, now: float) -> Customer:
    """The customer with seed data added; `known` stays as it is. Raises StateError that names the field."""
    entry = object_at(content, where)
    require_known(entry, ("quota", "plan", "upcoming", "exports"), where)
    quota, upcoming = known.quota.copy(), known.upcoming
    if "quota" in entry:
        read_quota(quota, entry["quota"], f"{where}.quota")
    if "upcoming" in entry:
        plans = array_at(entry["upcoming"], f"{where}.upcoming")
        upcoming = deque(read_plan(plan, f"{where}.upcoming[{number}]") for number, plan in enumerate(plans))
    plan = read_plan(entry["plan"], f"{where}.plan") if "plan" in entry else known.plan
    exports = object_at(entry.get("exports", {}), f"{where}.exports")
    loaded = {
        name: _read_export(name, known.id, found, f"{where}.exports.{name}", now) for name, found in exports.items()
    }
    return Customer(known.id, quota, plan, upcoming, {**known.exports, **loaded})


def write_customer(found: Customer) -> JsonObject:
    """The customer in the shape that `read_customer` takes."""
    return {
        "quota": write_quota(found.quota),
        "plan": found.plan.to_json(),
        "upcoming": [plan.to_json() for plan in found.upcoming],
        "exports": {name: _write_export(record) for name, record in found.exports.items()},
    }


def _read_export(export_id: str, cust_id: str, content: JsonValue, where: str, now: float) -> Export:
    entry = object_at(content, where)
    require_known(entry, ("type", "format", "created", "polls", "plan"), where)
    export_type = entry.get("type", "KBART2")
    if not isinstance(export_type, str) or export_type not in COLUMNS:
        raise StateError(f"{where}.type", f"one of {', '.join(COLUMNS)}")
    return Export(
        export_id,
        cust_id,
        export_type,
        optional_text_at(entry, "format", where) or FORMAT,
        _created(entry, where, now),
        read_plan(entry.get("plan", {}), f"{where}.plan", READY),
        number_at(entry, "polls", where, 0),
    )


def _created(entry: Mapping[str, JsonValue], where: str, now: float) -> float:
    text = optional_text_at(entry, "created", where)
    if text is None:
        return now
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise StateError(f"{where}.created", "an ISO time with offset, e.g. 2023-06-01T19:31:40.241315Z")
    return moment.timestamp()


def _write_export(found: Export) -> JsonObject:
    created = datetime.fromtimestamp(found.created, UTC).isoformat(timespec="microseconds")
    return {
        "type": found.type,
        "format": found.format,
        "created": created,
        "polls": found.polls,
        "plan": found.plan.to_json(),
    }
