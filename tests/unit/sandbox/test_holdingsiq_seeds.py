"""HoldingsIQ's seed data: what is kept and given back, what is replaced, and what is refused by its field."""

from __future__ import annotations

import pytest

from service.sandbox.holdingsiq import CsvFile, HoldingsIq, Plan, customer, export, holdingsiq_state
from tests.builders.sandbox import JsonObject, holdingsiq_call

KBART2 = {"type": "KBART2", "format": "csv"}
EVERYTHING = Plan(
    statuses=("A", "B"), after_polls=3, after_seconds=1.5, ends="FAILED", file_name="name", size=3,
    counts={"totalResourceCount": 4}, ignores_ranges=True,
    file=CsvFile(
        rows=7, seed=8, coverages=3, awkward=5, delimiter="\t", line_end="\r\n", bom=True, correct_spelling=True,
        padded_header=False, broken={2: "few", 6: "unclosed"}, ends_without_line_end=True, content=b"\xff\n",
    ),
)  # fmt: skip


def test_a_state_survives_being_kept_and_restored() -> None:
    system = HoldingsIq()
    seeded = export("e1", "COST", plan=EVERYTHING, created="2023-06-01T19:31:40.241315+00:00")
    known = customer(seeded, plan=EVERYTHING, upcoming=[Plan(ends=None), EVERYTHING])
    system.load({**holdingsiq_state(api=known, link_seconds=3), "expiredLinks": "ExpiredToken", "list": "object"})
    system.handle(holdingsiq_call("GET", "/api/exports/e1"))
    kept = system.snapshot()

    other = HoldingsIq()
    other.load(kept)

    assert other.snapshot() == kept
    restored = other.customer("api")
    assert (restored.plan, restored.exports["e1"].plan, restored.exports["e1"].polls) == (EVERYTHING, EVERYTHING, 1)
    assert list(restored.upcoming) == [Plan(ends=None), EVERYTHING]


def test_what_is_absent_stays_and_what_is_there_is_replaced() -> None:
    system = HoldingsIq()
    system.load(holdingsiq_state(api=customer(export("e1"), export("e2"), plan=EVERYTHING, quota_limit=9)))

    system.load({"customers": {"api": {"exports": {"e2": {"type": "COST"}, "e3": {}}}}})

    known = system.customer("api")
    assert {name: found.type for name, found in known.exports.items()} == {"e1": "KBART2", "e2": "COST", "e3": "KBART2"}
    assert (known.plan, known.quota.limit) == (EVERYTHING, 9)


def test_a_new_export_never_takes_the_id_of_one_that_is_there() -> None:
    system = HoldingsIq()
    for _ in range(3):
        system.handle(holdingsiq_call("POST", "/api/exports", KBART2))
    first, *others = system.customer("api").exports
    system.handle(holdingsiq_call("DELETE", f"/api/exports/{first}"))

    system.handle(holdingsiq_call("POST", "/api/exports", KBART2))

    assert len(system.customer("api").exports) == 3
    assert list(system.customer("api").exports)[:2] == others


def test_the_same_calls_after_a_reset_make_the_same_ids() -> None:
    system = HoldingsIq()
    system.handle(holdingsiq_call("POST", "/api/exports", KBART2))
    before = list(system.customer("api").exports)

    system.reset()

    assert system.snapshot() == HoldingsIq().snapshot()
    system.handle(holdingsiq_call("POST", "/api/exports", KBART2))
    assert list(system.customer("api").exports) == before


@pytest.mark.parametrize(
    ("state", "field"),
    [
        ({"customer": {}}, "customer: "),
        ({"linkSeconds": -1}, "linkSeconds: expected a number of seconds"),
        ({"expiredLinks": "Gone"}, "expiredLinks: expected one of"),
        ({"list": 1}, "list: expected one of"),
        ({"customers": []}, "customers: expected an object"),
        ({"customers": {"api": {"quotas": {}}}}, "customers.api.quotas"),
        ({"customers": {"api": {"quota": {"limit": -1}}}}, "customers.api.quota.limit"),
        ({"customers": {"api": {"upcoming": {}}}}, "customers.api.upcoming: expected an array"),
        ({"customers": {"api": {"upcoming": [{}, {"rows": 1}]}}}, r"customers.api.upcoming\[1\].rows"),
        ({"customers": {"api": {"plan": {"statuses": []}}}}, "customers.api.plan.statuses: expected one word"),
        ({"customers": {"api": {"plan": {"afterPolls": True}}}}, "customers.api.plan.afterPolls"),
        ({"customers": {"api": {"plan": {"afterSeconds": "1"}}}}, "customers.api.plan.afterSeconds"),
        ({"customers": {"api": {"plan": {"ends": 1}}}}, "customers.api.plan.ends"),
        ({"customers": {"api": {"plan": {"size": -1}}}}, "customers.api.plan.size"),
        ({"customers": {"api": {"plan": {"counts": 3}}}}, "customers.api.plan.counts"),
        ({"customers": {"api": {"plan": {"ignoresRanges": 3}}}}, "customers.api.plan.ignoresRanges"),
        ({"customers": {"api": {"plan": {"file": {"rows": 1_000_000_001}}}}}, "file.rows: .* 0 to 1000000000"),
        ({"customers": {"api": {"plan": {"file": {"coverages": 0}}}}}, "file.coverages"),
        ({"customers": {"api": {"plan": {"file": {"awkward": 101}}}}}, "file.awkward"),
        ({"customers": {"api": {"plan": {"file": {"delimiter": "/"}}}}}, "file.delimiter: expected one of"),
        ({"customers": {"api": {"plan": {"file": {"lineEnd": "\r"}}}}}, "file.lineEnd"),
        ({"customers": {"api": {"plan": {"file": {"bom": None}}}}}, "file.bom"),
        ({"customers": {"api": {"plan": {"file": {"paddedHeader": 1}}}}}, "file.paddedHeader"),
        ({"customers": {"api": {"plan": {"file": {"broken": {"x": "few"}}}}}}, "file.broken.x: expected the number"),
        ({"customers": {"api": {"plan": {"file": {"broken": {"1": "less"}}}}}}, "file.broken.1: expected one of"),
        ({"customers": {"api": {"plan": {"file": {"content": "?"}}}}}, "file.content: expected base64"),
        ({"customers": {"api": {"exports": {"e": {"type": "KBART"}}}}}, "customers.api.exports.e.type"),
        ({"customers": {"api": {"exports": {"e": {"created": "yesterday"}}}}}, "exports.e.created: expected an ISO"),
        ({"customers": {"api": {"exports": {"e": {"created": "2023-06-01T19:31:40"}}}}}, "exports.e.created"),
    ],
)
def test_bad_seed_data_are_refused_with_the_name_of_their_field_and_load_nothing(state: JsonObject, field: str) -> None:
    system = HoldingsIq()
    before = system.snapshot()

    with pytest.raises(ValueError, match=field):
        system.load({"linkSeconds": 1, "customers": {"good": {}}, **state})

    assert system.snapshot() == before
