"""Traces that were lost and troubles that were never met are found."""

from __future__ import annotations

from service.demo.sample import Change, Sample
from service.demo.verification.calls import check_calls
from service.sandbox.exchange import Call
from service.sandbox.faults import ArmedFault, Fault
from service.sandbox.ledger import Ledger
from tests.unit.demo.results import TRACE, sent


def traced(system: str = "eholdings") -> Sample:
    sample = sent().sample
    return Sample(
        sample.title, sample.outgoing, sample.expected, sample.event, "diku", TRACE, (Change(system, "diku", {}),)
    )


def ledger(*traceparents: str) -> Ledger:
    kept = Ledger()
    for traceparent in traceparents:
        kept.open("eholdings", Call("GET", "/", {}, (("Traceparent", traceparent),)))
    return kept


def told(sample: Sample, kept: Ledger, *faults: ArmedFault) -> list[str]:
    return [fault for check in check_calls([sample], list(kept), faults) for fault in check.broken]


def test_a_trace_that_reached_a_system_is_fine_under_whatever_span() -> None:
    assert told(traced(), ledger(TRACE)) == []
    assert told(traced(), ledger(TRACE.replace("00f067aa0ba902b7", "1111111111111111"))) == []


def test_a_trace_that_reached_none_is_found() -> None:
    assert len(told(traced(), ledger("00-11111111111111111111111111111111-00f067aa0ba902b7-01"))) == 1
    assert len(told(traced("scsb"), ledger())) == 1


def test_updates_of_one_resource_may_share_the_trace_of_the_first() -> None:
    checks = check_calls([traced(), traced()], list(ledger()), ())

    assert [fault for check in checks for fault in check.broken] == []


def test_inventory_is_not_asked_because_its_calls_carry_several_events() -> None:
    assert told(traced("inventory"), ledger()) == []


def test_a_trouble_that_was_never_met_is_found() -> None:
    fault = Fault("busy", status=503)
    assert told(traced(), ledger(TRACE), ArmedFault("busy", fault, matched=1, hit=1)) == []
    assert told(traced(), ledger(TRACE), ArmedFault("busy", fault)) == ["never met: busy"]
