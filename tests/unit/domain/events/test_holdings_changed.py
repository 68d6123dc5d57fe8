"""The event as a whole, and its `holdingsSource` part."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders.events import faults_of, plan_of, update, upsert


@pytest.mark.parametrize(
    "data", [{}, {"eholdings": None}, {"eholdings": None, "inventory": None, "holdingsSource": None}]
)
def test_an_event_without_any_part_is_refused(data: dict[str, Any]) -> None:
    assert faults_of(data) == {"data": "needs at least one of eholdings, inventory, holdingsSource"}


@pytest.mark.parametrize(
    ("data", "kind"), [(None, "null"), ([], "a list"), ("x", "a string"), (1.5, "a decimal number"), (True, "true")]
)
def test_data_that_is_not_an_object_is_refused(data: Any, kind: str) -> None:
    assert faults_of(data) == {"data": f"must be an object, not {kind}"}


def test_an_event_without_data_is_refused() -> None:
    assert faults_of(...) == {"data": "must be an object, not null"}


def test_a_part_that_is_null_counts_as_absent() -> None:
    part = {"eholdings": update({"isSelected": True})}
    assert plan_of({**part, "inventory": None, "holdingsSource": None}) == plan_of(part)


def test_an_unknown_part_is_refused() -> None:
    assert faults_of({"inventory": upsert(), "eHoldings": {}}) == {"data.eHoldings": "is not a known field"}


def test_faults_of_all_parts_are_told_together_in_order_of_path() -> None:
    faults = faults_of(
        {
            "inventory": {"action": "delete"},
            "holdingsSource": {"action": "upsert", "name": "", "source": "remote"},
            "eholdings": {"action": "remove"},
        }
    )
    assert faults == {
        "data.eholdings.resourceId": "is required",
        "data.holdingsSource.name": "must not be blank",
        "data.holdingsSource.source": "must be 'folio', 'local' or 'consortium'",
        "data.inventory.hrid": "is required",
    }
    assert list(faults) == sorted(faults)


@pytest.mark.parametrize("source", ["folio", "local", "consortium"])
def test_a_holdings_source_has_one_of_three_sources(source: str) -> None:
    assert plan_of({"holdingsSource": {"action": "upsert", "name": "Union catalogue", "source": source}}).steps


@pytest.mark.parametrize(
    ("operation", "path"),
    [
        ({"action": "upsert", "name": "Union catalogue"}, "source"),
        ({"action": "upsert", "source": "local"}, "name"),
        ({"action": "delete"}, "name"),
        ({"action": "delete", "name": "\t"}, "name"),
        ({"action": "delete", "name": "Union catalogue", "source": "local"}, "source"),
        ({"action": "create", "name": "Union catalogue"}, "action"),
    ],
)
def test_a_holdings_source_operation_that_is_incomplete_or_unknown_is_refused(
    operation: dict[str, Any], path: str
) -> None:
    assert list(faults_of({"holdingsSource": operation})) == [f"data.holdingsSource.{path}"]
