"""The state that the systems should have is worked out from the events, and every planted difference is found."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from service.demo.sample import Change, Expected, JsonObject, Sample
from service.demo.samples.eresources import OPEN_ACCESS, add, deselect, embargo, remove, update, years
from service.demo.samples.recap import holdings_move, item_move
from service.demo.samples.records import delete, holdings, instance, item, upsert, upsert_alone
from service.demo.verification.comparing import Check
from service.demo.verification.state import check_state
from service.domain.answers import Verdict
from service.engine.ports import Outgoing
from service.sandbox.eholdings.seeds import resource
from service.sandbox.scsb import seeds as scsb

TENANT = "diku"
RESOURCE = "19-2310-1440285"
FOLIO_SOURCE = "f32d531e-df79-46b3-8932-cdd35f7a2264"


def sample(system: str, *operations: JsonObject) -> Sample:
    changes = tuple(Change(system, TENANT, operation) for operation in operations)
    return Sample("a change", Outgoing("holdings.changes", b"k", b"v"), Expected((Verdict.SUCCEEDED,)), changes=changes)


def state(
    *resources: JsonObject,
    sets: tuple[JsonObject, ...] = (),
    sources: dict[str, str] | None = None,
    bibs: tuple[Any, ...] = (),
) -> JsonObject:
    """What the sandbox's control API would give."""
    named = {"FOLIO": "folio", **(sources or {})}
    ids = {name: FOLIO_SOURCE if name == "FOLIO" else f"id-of-{name}" for name in named}
    records: dict[str, Any] = {
        str(told["instance"]["hrid"]): {key: told[key] for key in told if key not in ("action", "processing")}  # type: ignore[index,call-overload]
        for told in sets
    }
    return {
        "eholdings": {"tenants": {TENANT: {"resources": [*resources]}}},
        "inventory": {"tenants": {TENANT: {"recordSets": records}}},
        "holdings-sources": {
            "tenants": {TENANT: {ids[name]: {"name": name, "source": who} for name, who in named.items()}}
        },
        "scsb": scsb.scsb_state(PUL=scsb.institution(*bibs)),
    }


def broken(change: Sample, before: JsonObject, after: JsonObject) -> list[str]:
    checks: list[Check] = check_state([change], before, after, shared_tenant="consortium")
    return [told for check in checks for told in check.broken]


def put(tree: Any, value: Any, *path: str | int) -> JsonObject:
    changed: JsonObject = deepcopy(tree)
    here: Any = changed
    for step in path[:-1]:
        here = here[step]
    here[path[-1]] = value
    return changed


# eholdings

DESCRIBED: dict[str, Any] = {
    "coverageStatement": "Print until 2014",
    "customCoverages": [years("1998", "2004")],
    "customEmbargoPeriod": embargo(6, "Months"),
    "userDefinedField1": "Fund A",
}


def journal(**changed: Any) -> JsonObject:
    tags, access = changed.pop("tags", ["serials"]), changed.pop("access_type_id", None)
    return resource(RESOURCE, tags=tags, access_type_id=access, **{**DESCRIBED, **changed})


PATCH = sample(
    "eholdings",
    update(
        RESOURCE,
        tags=["law", "2025"],
        coverageStatement=None,
        customCoverages=[years("1998", "2004"), years("2020")],
        isHidden=True,
        proxyId="ezproxy",
        accessTypeId=OPEN_ACCESS,
    ),
)
PATCHED = journal(
    coverageStatement="",
    customCoverages=[years("2020"), years("1998", "2004")],
    visibilityData={"isHidden": True, "reason": ""},
    proxy={"id": "ezproxy", "inherited": False},
    access_type_id=OPEN_ACCESS,
    tags=["2025", "law"],
)


def test_a_patch_changes_what_it_names_and_leaves_the_rest() -> None:
    assert broken(PATCH, state(journal()), state(PATCHED)) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("coverageStatement", "Print until 2014"),
        ("customCoverages", [years("2020")]),
        ("customEmbargoPeriod", {"embargoValue": 0}),
        ("visibilityData", {"isHidden": False, "reason": ""}),
        ("proxy", {"id": "<n>", "inherited": True}),
        ("userDefinedField1", None),
        ("userDefinedField3", "somebody else's"),
        ("url", "https://elsewhere.example/"),
        ("isSelected", False),
    ],
)
def test_an_attribute_that_is_not_as_asked_for_or_not_as_it_was_is_found(field: str, value: Any) -> None:
    after = put(state(PATCHED), value, "eholdings", "tenants", TENANT, "resources", 0, "attributes", field)
    assert len(broken(PATCH, state(journal()), after)) >= 1


def test_tags_and_the_access_type_are_looked_at_too() -> None:
    where = ("eholdings", "tenants", TENANT, "resources", 0)
    for field, value in (("tags", ["law"]), ("accessTypeId", None)):
        [told] = broken(PATCH, state(journal()), put(state(PATCHED), value, *where, field))
        assert field in told


def test_a_deselection_drops_all_customisation_but_the_tags() -> None:
    plain = resource(RESOURCE, isSelected=False, tags=["serials"])
    change = sample("eholdings", deselect(RESOURCE))
    assert broken(change, state(journal()), state(plain)) == []
    assert broken(change, state(journal()), state(journal(isSelected=False))) != []


def test_a_title_that_is_added_or_removed_must_be_there_or_gone() -> None:
    attributes: JsonObject = {"coverageStatement": "All"}
    joined = resource("1-2-3", url="https://x.example/", isPackageCustom=True, coverageStatement="All")
    joining = sample("eholdings", add("1-2", "3", url="https://x.example/", attributes=attributes))
    leaving = sample("eholdings", remove("1-2-3"))
    assert broken(joining, state(), state(joined)) == []
    assert broken(joining, state(), state()) != []
    assert broken(leaving, state(joined), state()) == []
    assert broken(leaving, state(joined), state(joined)) != []


# Inventory

BOOK = instance("in1", "The Salt Roads")


def test_an_upsert_replaces_the_holdings_and_items_of_its_instance() -> None:
    before = state(sets=(upsert(BOOK, holdings("ho1", item("it1", "1"), item("it2", "2"))),))
    asked = upsert(instance("in1", "The Salt Roads, revised"), holdings("ho2", item("it1", "1")))
    change = sample("inventory", asked)
    assert broken(change, before, state(sets=(asked,))) == []
    for other in (
        upsert(BOOK, holdings("ho2", item("it1", "1"))),
        upsert(instance("in1", "The Salt Roads, revised"), holdings("ho2", item("it1", "1"), item("it2", "2"))),
        upsert(instance("in1", "The Salt Roads, revised"), holdings("ho2", item("it1", "9"))),
        upsert(instance("in1", "The Salt Roads, revised"), holdings("ho1", item("it1", "1"))),
        upsert(instance("in1", "The Salt Roads, revised")),
    ):
        assert broken(change, before, state(sets=(other,))) != []


def test_an_upsert_without_holdings_leaves_them() -> None:
    before = state(sets=(upsert(BOOK, holdings("ho1", item("it1", "1"))),))
    renamed = instance("in1", "The Salt Roads, revised")
    change = sample("inventory", upsert_alone(renamed))
    assert broken(change, before, state(sets=(upsert(renamed, holdings("ho1", item("it1", "1"))),))) == []
    assert broken(change, before, state(sets=(upsert(renamed),))) != []


def test_an_item_keeps_its_status_unless_the_event_overrules_it() -> None:
    lent = state(sets=(upsert(BOOK, holdings("ho1", item("it1", "1", "Checked out"))),))
    asked = upsert(BOOK, holdings("ho1", item("it1", "1", "Available")))
    free = state(sets=(asked,))
    overruling: JsonObject = {**asked, "processing": {"item": {"status": {"policy": "overwrite"}}}}
    assert broken(sample("inventory", asked), lent, lent) == []
    assert broken(sample("inventory", asked), lent, free) != []
    assert broken(sample("inventory", overruling), lent, free) == []


def test_an_item_on_loan_that_is_left_out_stays() -> None:
    lent = state(sets=(upsert(BOOK, holdings("ho1", item("it1", "1", "Checked out"))),))
    change = sample("inventory", upsert(BOOK))
    assert broken(change, lent, lent) == []
    assert broken(change, lent, state(sets=(upsert(BOOK),))) != []


def test_a_deleted_instance_is_gone_with_its_relations() -> None:
    linked: JsonObject = {
        **upsert(BOOK),
        "instanceRelations": {"precedingTitles": [{"instanceIdentifier": {"hrid": "in0"}}]},
    }
    older = upsert(instance("in0", "The Old Roads"))
    before = state(sets=(older, linked))
    assert broken(sample("inventory", delete("in1")), before, state(sets=(older,))) == []
    assert broken(sample("inventory", delete("in1")), before, before) != []


def test_a_relation_is_the_same_from_either_side() -> None:
    older, newer = upsert(instance("in0", "The Old Roads")), upsert(BOOK)
    before = state(sets=(older, newer))
    asked = upsert_alone(BOOK, instanceRelations={"precedingTitles": [{"instanceIdentifier": {"hrid": "in0"}}]})
    told_by_the_older: JsonObject = {
        **older,
        "instanceRelations": {"succeedingTitles": [{"instanceIdentifier": {"hrid": "in1"}}]},
    }
    assert broken(sample("inventory", asked), before, state(sets=(told_by_the_older, newer))) == []
    [told] = broken(sample("inventory", asked), before, before)
    assert "in1|continues|in0" in told


def test_a_source_that_is_named_must_be_the_one_that_is_linked() -> None:
    asked = upsert(BOOK, holdings("ho1", sourceName="Shelf list"))
    change = sample("inventory", asked)
    sources = {"Shelf list": "local"}
    linked = upsert(BOOK, {**holdings("ho1"), "sourceId": "id-of-Shelf list"})
    assert broken(change, state(sources=sources), state(sets=(linked,), sources=sources)) == []
    other = upsert(BOOK, holdings("ho1"))
    assert broken(change, state(sources=sources), state(sets=(other,), sources=sources)) != []


# Holdings sources


def test_a_source_is_there_as_asked_for_or_gone() -> None:
    made = sample("holdings-sources", {"action": "upsert", "name": "Maps", "source": "consortium"})
    unmade = sample("holdings-sources", {"action": "delete", "name": "Maps"})
    assert broken(made, state(), state(sources={"Maps": "consortium"})) == []
    assert broken(made, state(), state(sources={"Maps": "local"})) != []
    assert broken(made, state(), state()) != []
    assert broken(unmade, state(sources={"Maps": "local"}), state()) == []
    assert broken(unmade, state(sources={"Maps": "local"}), state(sources={"Maps": "local"})) != []


# SCSB


def two_bibs() -> JsonObject:
    return state(
        bibs=(
            scsb.bib("b1", scsb.holdings("h1", scsb.item("i1"))),
            scsb.bib("b2", scsb.holdings("h2", scsb.item("i2"))),
        )
    )


def moved(*, emptied: bool = True, where: str = "h2") -> JsonObject:
    return state(
        bibs=(
            scsb.bib("b1", scsb.holdings("h1", deleted=emptied), deleted=emptied),
            scsb.bib("b2", scsb.holdings(where, scsb.item("i1"), scsb.item("i2"))),
        )
    )


MOVE = sample(
    "scsb",
    {"action": "transfer-item", "institution": "PUL", **item_move(("b1", "h1"), ("b2", "h2"), "i1")},
)


def test_an_item_is_where_its_transfer_put_it_and_what_it_leaves_empty_is_deaccessioned() -> None:
    assert broken(MOVE, two_bibs(), moved()) == []
    assert broken(MOVE, two_bibs(), two_bibs()) != []
    assert broken(MOVE, two_bibs(), moved(emptied=False)) != []
    assert broken(MOVE, two_bibs(), moved(where="h3")) != []


def test_a_holdings_record_takes_its_items_along() -> None:
    change = sample("scsb", {"action": "transfer-holdings", "institution": "PUL", **holdings_move("b1", "b3", "h1")})
    after = state(
        bibs=(
            scsb.bib("b1", deleted=True),
            scsb.bib("b2", scsb.holdings("h2", scsb.item("i2"))),
            scsb.bib("b3", scsb.holdings("h1", scsb.item("i1"))),
        )
    )
    assert broken(change, two_bibs(), after) == []
    assert broken(change, two_bibs(), two_bibs()) != []


def test_an_entity_that_nobody_asked_for_is_found_in_every_system() -> None:
    idle = sample("eholdings")
    for after in (
        state(resource("9-9-9")),
        state(sets=(upsert(BOOK),)),
        state(sources={"Extra": "local"}),
        state(bibs=(scsb.bib("b9", scsb.holdings("h9", scsb.item("i9"))),)),
    ):
        assert broken(idle, state(), after) != []
