"""EBSCO's RM API behind the module: reading and writing a title of a package, its quota and its own checks.

Owns what the RM API decides; each function is one call of the daily quota. It must not know the module's rules.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from service.sandbox.eholdings.answers import failure
from service.sandbox.eholdings.bodies import text_in
from service.sandbox.eholdings.seeds import uncustomised
from service.sandbox.eholdings.shapes import USER_DEFINED_FIELDS
from service.sandbox.eholdings.state import Attributes, Tenant
from service.sandbox.exchange import JsonValue

_OPEN_END: Final = "9999-12-31"


def count_call(tenant: Tenant) -> None:
    """One call of the daily quota; 429 when it is spent."""
    if not tenant.quota.take():
        raise failure(429, "Limit Exceeded")


def read_title(tenant: Tenant, resource_id: str) -> Attributes | None:
    """The title in the package. 404 when the package never had it; None (an empty list) when it has lost it."""
    count_call(tenant)
    found = tenant.resources.get(resource_id)
    if found is None and resource_id not in tenant.lost:
        raise failure(404, "Title is no longer in this package.")
    return found


def write_title(tenant: Tenant, resource_id: str, new: Attributes) -> None:
    """Stores what the module sends. 400 for coverages it cannot take.

    Deselecting drops all customisation of a managed title, and removes a custom title or one of a custom package.
    """
    count_call(tenant)
    if new["isSelected"]:
        _check_coverages(new["customCoverages"])
        tenant.store(resource_id, new)
    elif new["isPackageCustom"] or new["isTitleCustom"]:
        tenant.lose(resource_id)
    else:
        customised = {"coverageStatement", *USER_DEFINED_FIELDS}
        kept = {name: value for name, value in new.items() if name not in customised}
        tenant.store(resource_id, {**kept, **uncustomised()})


def _check_coverages(value: JsonValue) -> None:
    coverages = [
        (text_in(coverage, "beginCoverage") or "", text_in(coverage, "endCoverage") or _OPEN_END)
        for coverage in (value if isinstance(value, list) else [])
        if isinstance(coverage, dict)
    ]
    if any(begin > end for begin, end in coverages):
        raise failure(400, "1009: Begin Date is greater than End Date.")
    if any(earlier[1] >= later[0] for earlier, later in pairwise(sorted(coverages))):
        raise failure(400, "CoverageList cannot contain overlapping dates.")
    if any(first[0] < second[0] for first, second in pairwise(coverages)):
        raise failure(400, "CoverageList contains a date that exceeds a previous date value")
