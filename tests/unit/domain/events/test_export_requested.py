"""What is valid in a request for an export, and what is refused because nobody could tell what it asks for."""

from __future__ import annotations

from typing import Any

import pytest

from service.domain.events.export_requested import BOTH, MAX_ID_CHARACTERS, NEITHER
from service.domain.operations import ExportHoldings
from tests.builders.events import faults_of, plan_of

TYPE = "holdings.export.requested"


def refused(data: Any) -> dict[str, str]:
    return faults_of(data, TYPE)


@pytest.mark.parametrize("kind", ["KBART2", "STANDARD", "COST", "HOLDINGSEVENT"])
def test_every_type_of_export_may_be_asked_for_and_its_format_is_csv(kind: str) -> None:
    assert plan_of({"custId": "apidemo", "type": kind}, TYPE).steps == (ExportHoldings("apidemo", kind, "CSV", None),)


def test_ids_are_kept_byte_for_byte() -> None:
    [step] = plan_of({"custId": " a/b é ", "exportId": "x..y/../z"}, TYPE).steps
    assert step == ExportHoldings(" a/b é ", None, "CSV", "x..y/../z")


def test_type_and_export_id_together_are_refused() -> None:
    assert refused({"custId": "c", "type": "COST", "exportId": "e"}) == {"data.exportId": BOTH}


def test_neither_type_nor_export_id_is_refused() -> None:
    assert refused({"custId": "c"}) == {"data": NEITHER}


@pytest.mark.parametrize("id_", ["", " ", ".", "..", " .. "])
def test_an_id_that_is_blank_or_would_lead_elsewhere_in_a_path_is_refused(id_: str) -> None:
    message = "must not be blank, nor consist of dots"
    assert refused({"custId": id_, "exportId": id_}) == {"data.custId": message, "data.exportId": message}


def test_an_id_longer_than_any_of_the_systems_is_refused() -> None:
    assert refused({"custId": "c" * (MAX_ID_CHARACTERS + 1), "type": "COST"}) == {
        "data.custId": f"must have at most {MAX_ID_CHARACTERS} characters"
    }


@pytest.mark.parametrize(
    ("members", "path", "message"),
    [
        ({"custId": 4711}, "data.custId", "must be a string, not a number"),
        ({"custId": ...}, "data.custId", "is required"),
        ({"type": "kbart2"}, "data.type", "must be 'KBART2', 'STANDARD', 'COST' or 'HOLDINGSEVENT'"),
        ({"type": None}, "data.type", "must not be null; leave it out instead"),
        ({"format": "XML"}, "data.format", "must be 'CSV'"),
        ({"rows": 10}, "data.rows", "is not a known field"),
    ],
)
def test_everything_else_that_is_wrong_is_named_with_its_path(members: dict[str, Any], path: str, message: str) -> None:
    data = {"custId": "c", "type": "COST", **members}
    assert refused({name: value for name, value in data.items() if value is not ...}) == {path: message}


@pytest.mark.parametrize("data", [None, [], "KBART2"])
def test_data_that_are_no_object_are_refused(data: Any) -> None:
    assert list(refused(data)) == ["data"]
