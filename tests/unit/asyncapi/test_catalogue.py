"""The schemas of all event types: they take what the relay itself publishes, and nothing else."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator, ValidationError

from service.asyncapi.catalogue import event_types
from service.domain.answers import Finding, Verdict, failed
from service.domain.codes import Code
from service.domain.exports import BrokenRow, ExportReport
from service.domain.operations import Asked, EventIdentity, Plan
from service.domain.outcomes import Fault, Outcome, Rejection
from service.engine.rejecting import reject
from service.kafka.records_out import RecordsOut
from service.kafka.topics import TOPICS
from service.sandbox.holdingsiq import CsvFile
from service.sandbox.holdingsiq.rows import content_of
from tests.builders.exports import read_export
from tests.builders.outcomes import NOT_ATTEMPTED, OK, REFUSED, SAME, operation, outcome, record
from tests.support.published import assert_event_as_published, assert_letter_as_published, validator

RENDER = RecordsOut("/holdings-relay/tests")
FAULTS = tuple(Fault(f"data.items[{n}]", "is not a known field") for n in range(30_000))
REPORT = ExportReport(2, 1, {"totalResourceCount": "3"}, True, (BrokenRow(3, "34 cells in place of 32"),))
EXPORTED = Finding(Verdict.SUCCEEDED, 200, None, "1 row could not be read", REPORT)

OUTCOMES: dict[str, Outcome] = {
    "succeeded": outcome(operation(OK)),
    "unchanged": outcome(operation(SAME), tenant=None),
    "partial": outcome(operation(OK), operation(REFUSED), traceparent="00-1-2-01"),
    "failed": outcome(operation(REFUSED), operation(NOT_ATTEMPTED)),
    "transfer": outcome(operation(OK, Asked("scsb", "transfer-item", "1/2/3"))),
    "export": outcome(operation(EXPORTED, Asked("holdingsiq", "export", "096dea08"))),
    "unreadable": reject(record(key=None, value=None), Rejection(Code.UNREADABLE, "no value")),
    "invalid": reject(
        record(),
        Rejection(Code.INVALID_DATA, "2", EventIdentity("e1", "/ils", "holdings.changed"), faults=FAULTS[:2]),
    ),
    "cut to fit": outcome(operation(failed(Code.INVALID_DATA, None, "many"), faults=FAULTS)),
    "many, cut to fit": outcome(*[operation(OK, Asked("scsb", "transfer-item", f"{n}")) for n in range(10_000)]),
}


EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*/*.json"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_valid_example_of_the_tests_fits_the_schema(path: Path) -> None:
    validator(path.parent.name).validate(orjson.loads(path.read_bytes())["data"])


def result(name: str = "partial") -> dict[str, Any]:
    return dict(orjson.loads(RENDER(OUTCOMES[name])[0].value or b"")["data"])


@pytest.mark.parametrize("name", OUTCOMES)
def test_every_kind_of_outcome_is_published_as_the_schemas_say(name: str) -> None:
    [told, *letters] = RENDER(OUTCOMES[name])

    assert_event_as_published(told)
    for letter in letters:
        assert_letter_as_published(letter)


@pytest.mark.parametrize("export_type", ["KBART2", "STANDARD", "COST", "HOLDINGSEVENT"])
def test_rows_of_every_type_are_published_as_the_schema_says(export_type: str) -> None:
    content = b"".join(content_of(export_type, CsvFile(rows=30, awkward=5, coverages=2)).pieces())
    _, rows = read_export(content, export_type)
    plan = Plan(EventIdentity("x1", "/jobs", "holdings.export.requested"), "diku", None, (), frozenset())

    published = RENDER.rows(record(), plan, [read.row for read in rows], 1)

    assert len(published) == 30
    for row in published:
        assert_event_as_published(row)


def _without(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda data: data.pop(name)


def _operation(**members: object) -> Callable[[dict[str, Any]], object]:
    return lambda data: data["operations"][0].update(members)


@pytest.mark.parametrize(
    "spoil",
    [
        _without("event"),
        _without("operations"),
        lambda data: data.update(outcome="skipped"),
        lambda data: data.update(operations=[]),
        lambda data: data.update(somethingElse=1),
        lambda data: data["event"].update(partition=-1),
        lambda data: data.update(receivedAt=1700000000),
        _operation(system="folio"),
        _operation(operation="renew"),
        _operation(code="misc"),
        _operation(status="422"),
        _operation(attempts=None),
        _operation(export={"rows": 1}),
    ],
)
def test_a_result_that_is_not_as_it_should_be_is_refused(spoil: Callable[[dict[str, Any]], object]) -> None:
    spoilt = copy.deepcopy(result())
    spoil(spoilt)

    validator("holdings.result").validate(result())
    with pytest.raises(ValidationError):
        validator("holdings.result").validate(spoilt)


def test_a_row_of_a_type_with_known_columns_must_have_them() -> None:
    bare = {"exportId": "x", "custId": "c", "type": "KBART2", "row": 1, "line": 2, "resourceId": None}
    bare |= {"columns": {}, "unreadable": {}}

    assert not validator("holdings.export.row").is_valid(bare)
    validator("holdings.export.row").validate(bare | {"type": "COST"})


def test_every_topic_but_that_of_the_dead_letters_has_one_type_and_every_schema_is_one() -> None:
    assert sorted(found.topic for found in event_types()) == sorted(
        spec.name for spec in TOPICS if spec.name != "holdings.dead-letters"
    )
    for found in event_types():
        Draft202012Validator.check_schema(found.data)
