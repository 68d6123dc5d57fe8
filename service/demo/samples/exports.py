"""Stories of exports: all holdings of a customer of HoldingsIQ, row by row."""

from __future__ import annotations

from typing import Final

from service.demo.sample import Story
from service.demo.samples.telling import SUCCEEDED, Telling
from service.domain.codes import Code
from service.sandbox.faults import Fault
from service.sandbox.holdingsiq import CsvFile, Plan, customer, holdingsiq_state

RIVERSIDE: Final = "riverside"
HILLTOP: Final = "hilltop"

_ROWS: Final = 80
_UNREADABLE: Final = 7
"""One row of them."""


def stories() -> list[Story]:
    """One export that meets every usual trouble, and one that is not there."""
    return [_all_holdings(), _unknown()]


def _all_holdings() -> Story:
    telling = Telling(RIVERSIDE, source="/jobs/nightly", traced=True)
    file = CsvFile(rows=_ROWS, coverages=2, awkward=5, broken={_UNREADABLE: "few"})
    telling.seed({"holdingsiq": holdingsiq_state(riverside=customer(plan=Plan(file=file)))})
    calls, files = f"/rmaccounts/{RIVERSIDE}/", f"/{RIVERSIDE}/"
    telling.disturb(Fault("lost", method="POST", path_contains=calls, drop="after", times=1))
    telling.disturb(Fault("expired link", path_contains=files, path_ends_with="_csv", status=403, times=1))
    telling.export(
        "All holdings of a customer, although the answer is lost, a link expires, and a row cannot be read",
        SUCCEEDED,
        rows=_ROWS - 1,
        retried=True,
        custId=RIVERSIDE,
        type="KBART2",
    )
    return telling.end()


def _unknown() -> Story:
    telling = Telling(HILLTOP, source="/jobs/nightly")
    telling.export("An export that is not there", Code.REFUSED, custId=HILLTOP, exportId="of-last-year")
    return telling.end()
