"""`holdings.export.requested` becomes one step, in a lane of its own or in that of its type."""

from __future__ import annotations

from service.domain.operations import ExportHoldings, asked_of
from tests.builders.events import plan_of

TYPE = "holdings.export.requested"


def test_a_new_export_shares_the_lane_of_its_customer_and_type() -> None:
    plan = plan_of({"custId": "apidemo", "type": "KBART2"}, TYPE)

    assert plan.steps == (ExportHoldings("apidemo", "KBART2", "CSV", None),)
    assert plan.writes == {("holdingsiq", "apidemo", "type", "KBART2")}
    assert not plan.reads
    assert asked_of(plan.steps[0])[0].target == "apidemo/KBART2"


def test_an_export_that_exists_has_a_lane_of_its_own() -> None:
    plan = plan_of({"custId": "apidemo", "exportId": "e-1"}, TYPE)

    assert plan.writes == {("holdingsiq", "apidemo", "export", "e-1")}
    assert asked_of(plan.steps[0])[0].target == "e-1"


def test_an_export_needs_no_tenant() -> None:
    data = {"custId": "apidemo", "type": "COST"}
    assert plan_of(data, TYPE, tenant="a").writes == plan_of(data, TYPE, tenant="b").writes
