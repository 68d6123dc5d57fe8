"""Any sequence of upserts and deletions against a model that knows the omission rules and nothing else."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders.inventory import holdings, item, record_set
from tests.unit.sandbox.inventory_caller import Inventory

INSTANCES = ("inA", "inB", "inC")
CIRCULATING = "Checked out"

Items = dict[str, str]
Sets = dict[str, dict[str, Items]]
"""Statuses of items by HRIDs of instance, holdings record and item."""


@st.composite
def _listed(draw: st.DrawFn) -> dict[str, Items]:
    placed = draw(
        st.dictionaries(
            st.sampled_from(["it1", "it2", "it3"]),
            st.tuples(st.sampled_from(["ho1", "ho2", "ho3"]), st.sampled_from(["Available", CIRCULATING])),
        )
    )
    listed: dict[str, Items] = {
        hrid: {} for hrid in draw(st.lists(st.sampled_from(["ho1", "ho2", "ho3"]), unique=True))
    }
    for item_hrid, (holdings_hrid, status) in placed.items():
        listed.setdefault(holdings_hrid, {})[item_hrid] = status
    return listed


_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from(INSTANCES), st.none() | _listed()),
        st.tuples(st.just("delete"), st.sampled_from(INSTANCES), st.none()),
    ),
    max_size=8,
)


def _model_put(model: Sets, hrid: str, listed: dict[str, Items] | None) -> None:
    own = model.setdefault(hrid, {})
    if listed is None:
        return
    listed_items = {name for items in listed.values() for name in items}
    for holdings_hrid in list(own):
        items = own[holdings_hrid]
        kept = {name: status for name, status in items.items() if name not in listed_items and status == CIRCULATING}
        own[holdings_hrid] = kept
        if not kept and holdings_hrid not in listed:
            del own[holdings_hrid]
    for elsewhere in (sets for name, sets in model.items() if name != hrid):
        for holdings_hrid in [name for name in elsewhere if name in listed]:
            own[holdings_hrid] = elsewhere.pop(holdings_hrid)
    for sets in model.values():
        for items in sets.values():
            for name in listed_items & set(items):
                del items[name]
    for holdings_hrid, items in listed.items():
        own.setdefault(holdings_hrid, {}).update(items)


def _model_delete(model: Sets, hrid: str) -> None:
    remaining: dict[str, Items] = {}
    for holdings_hrid, items in model.get(hrid, {}).items():
        circulating = {name: status for name, status in items.items() if status == CIRCULATING}
        if circulating:
            remaining[holdings_hrid] = circulating
    if remaining:
        model[hrid] = remaining
    else:
        model.pop(hrid, None)


def _stored(inventory: Inventory) -> Sets:
    tenants: Any = inventory.module.snapshot()["tenants"]
    return {
        hrid: {
            record["hrid"]: {entry["hrid"]: entry["status"]["name"] for entry in record["items"]}
            for record in record_set["holdingsRecords"]
        }
        for hrid, record_set in tenants.get("diku", {"recordSets": {}})["recordSets"].items()
    }


@settings(max_examples=150, deadline=None)
@given(_STEPS)
def test_what_is_stored_is_what_the_omission_rules_say(steps: list[tuple[str, str, dict[str, Items] | None]]) -> None:
    inventory = Inventory()
    model: Sets = {}
    for action, hrid, listed in steps:
        if action == "delete":
            answer = inventory.delete(hrid)
            assert answer.status == (200 if hrid in model else 404)
            _model_delete(model, hrid)
        else:
            every_holdings = (
                ...
                if listed is None
                else [
                    holdings(name, *(item(entry, status) for entry, status in items.items()))
                    for name, items in listed.items()
                ]
            )
            answer = inventory.put(record_set(hrid, holdingsRecords=every_holdings))
            assert answer.status == 200
            _model_put(model, hrid, listed)

        assert _stored(inventory) == model
