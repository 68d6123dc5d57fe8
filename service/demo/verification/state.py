"""Whether every system holds what the events asked for, no less and no more."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import Final

from service.demo.sample import JsonObject, Sample
from service.demo.verification import holdings_sources, positions, record_sets, resources, shared_index
from service.demo.verification.comparing import Check, count_leaves, differences

_PROMISES: Final = {
    "eholdings": "eholdings holds every attribute and tag as asked for, and kept the others",
    "inventory": "Inventory holds exactly the records, places and relations asked for",
    "shared index": "The shared index holds what each institution brought, and nothing that it took back",
    "holdings sources": "The holdings sources are those asked for",
    "SCSB": "Every item is where the transfers put it, and what they emptied is deaccessioned",
}


def check_state(samples: Iterable[Sample], before: JsonObject, after: JsonObject, *, shared_tenant: str) -> list[Check]:
    """One check for each system. `before` and `after` are the sandbox's states around the run.

    What should be there is worked out from `before` and the changes of the samples alone, in the order in which they
    were published: the changes of one entity are all in one story, and so in order.
    """
    expected, found = _trees(before, shared_tenant), _trees(after, shared_tenant)
    for sample in samples:
        for change in sample.changes:
            names = record_sets.source_names(after, change.tenant)
            match change.system:
                case resources.SYSTEM:
                    resources.apply(expected["eholdings"], deepcopy(change))
                case holdings_sources.SYSTEM:
                    holdings_sources.apply(expected["holdings sources"], change)
                case positions.SYSTEM:
                    positions.apply(expected["SCSB"], deepcopy(change))
                case _ if change.tenant == shared_tenant:
                    shared_index.apply(expected["shared index"], deepcopy(change), names)
                case _:
                    record_sets.apply(expected["inventory"], deepcopy(change), names)
    return [
        Check(
            promise,
            count_leaves(expected[system]),
            tuple(str(difference) for difference in differences(expected[system], found[system], system)),
        )
        for system, promise in _PROMISES.items()
    ]


def _trees(state: JsonObject, shared_tenant: str) -> dict[str, JsonObject]:
    state = deepcopy(state)
    return {
        "eholdings": resources.read(state),
        "inventory": record_sets.read(state, shared_tenant),
        "shared index": shared_index.read(state, shared_tenant),
        "holdings sources": holdings_sources.read(state),
        "SCSB": positions.read(state),
    }
