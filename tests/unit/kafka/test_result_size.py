"""A result always fits into its topic: one that did not would hold its partition up for ever."""

from __future__ import annotations

import orjson

from service.domain.operations import Asked, EventIdentity
from service.kafka.records_out import MAX_RESULT_BYTES, SHORT_TEXT, RecordsOut
from tests.builders.outcomes import OK, operation, outcome

RENDER = RecordsOut("/holdings-relay/tests")


def test_an_ordinary_result_is_not_touched() -> None:
    long_but_fine = "x" * 10_000

    (result,) = RENDER(outcome(operation(OK, Asked("inventory", "upsert", long_but_fine))))

    assert orjson.loads(result.value or b"")["data"]["operations"][0]["target"] == long_but_fine


def test_a_result_that_would_be_too_large_has_its_long_texts_cut_and_keeps_every_entry() -> None:
    gone_wrong = "x" * 500_000
    operations = [operation(OK, Asked("inventory", "upsert", f"{n}{gone_wrong}")) for n in range(3)]

    (result,) = RENDER(outcome(*operations, event=EventIdentity("e1", "/ils", "holdings.changed")))

    assert len(result.value or b"") < MAX_RESULT_BYTES
    data = orjson.loads(result.value or b"")["data"]
    assert data["event"]["id"] == "e1"
    assert [entry["target"] for entry in data["operations"]] == [
        f"{n}{gone_wrong}"[:SHORT_TEXT] + "…" for n in range(3)
    ]
