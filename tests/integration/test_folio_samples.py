"""FOLIO's own sample records go through broker, worker and sandbox, and come out as they went in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from tests.support.relay import RunningRelay, by_event, changed, relay

Json = dict[str, Any]

SET_BY_THE_SYSTEM = {"_version", "instanceId", "holdingsRecordId", "effectiveLocationId", "statusUpdatedDate"}


def records(folder: Path, kind: str) -> list[Json]:
    """All sample records of one kind, those of bound-with volumes included."""
    return [orjson.loads(path.read_bytes()) for path in sorted(folder.glob(f"**/{kind}/*.json"))]


def record_sets(folder: Path) -> list[Json]:
    """Each instance with its holdings and their items; every UUID as it is in the samples."""
    items, holdings = defaultdict(list), defaultdict(list)
    for item in records(folder, "items"):
        items[item["holdingsRecordId"]].append(item)
    for record in records(folder, "holdingsrecords"):
        holdings[record["instanceId"]].append({**record, "items": items.pop(record["id"], [])})
    sets = [{"instance": i, "holdingsRecords": holdings.pop(i["id"], [])} for i in records(folder, "instances")]
    assert not items, "items whose holdings record is not among the samples"
    assert not holdings, "holdings whose instance is not among the samples"
    return sets


def relations(folder: Path) -> Mapping[str, Json]:
    """Of instances by their UUID: the relations to other sample instances, by UUID too."""
    found: dict[str, Json] = defaultdict(dict)
    for relationship in records(folder, "instance-relationships"):
        found[relationship["subInstanceId"]].setdefault("parentInstances", []).append(
            {
                "instanceIdentifier": {"uuid": relationship["superInstanceId"]},
                "instanceRelationshipTypeId": relationship["instanceRelationshipTypeId"],
            }
        )
    for succession in records(folder, "preceding-succeeding-titles"):
        if "precedingInstanceId" in succession and "succeedingInstanceId" in succession:
            found[succession["succeedingInstanceId"]].setdefault("precedingTitles", []).append(
                {"instanceIdentifier": {"uuid": succession["precedingInstanceId"]}}
            )
    return found


def sources(folder: Path) -> Json:
    """Sources that the samples' holdings refer to, as seeds; those that FOLIO ships are there already."""
    return {source["id"]: {"source": "local", **source} for source in records(folder, "holdings-sources")}


def differences(sent: Json, stored: Json, path: str) -> Iterator[str]:
    """Field by field: what was sent and is not stored so, and what is stored and was not sent."""
    for name, value in sent.items():
        if name not in ("holdingsRecords", "items") and name not in SET_BY_THE_SYSTEM and stored.get(name) != value:
            yield f"{path}.{name}: sent {value!r}, stored {stored.get(name)!r}"
    for name in stored.keys() - sent.keys() - SET_BY_THE_SYSTEM - {"items"}:
        yield f"{path}.{name}: nothing was sent, stored {stored[name]!r}"


def set_differences(sent: Json, stored: Json) -> Iterator[str]:
    instance = sent["instance"]
    yield from differences(instance, stored["instance"], instance["hrid"])
    for record, kept in paired(sent["holdingsRecords"], stored["holdingsRecords"]):
        yield from differences(record, kept, f"{instance['hrid']}/{record['hrid']}")
        for item, kept_item in paired(record["items"], kept["items"]):
            yield from differences(item, kept_item, f"{instance['hrid']}/{record['hrid']}/{item['hrid']}")


def paired(sent: list[Json], stored: list[Json]) -> Iterator[tuple[Json, Json]]:
    """By HRID. Fails when one is on one side only."""
    kept = {record["hrid"]: record for record in stored}
    assert kept.keys() == {record["hrid"] for record in sent}
    return ((record, kept[record["hrid"]]) for record in sent)


def stored_sets(running: RunningRelay) -> Json:
    snapshot: Any = running.sandbox.systems["inventory"].snapshot()
    sets: Json = snapshot["tenants"]["diku"]["recordSets"]
    return sets


async def test_every_sample_record_set_is_stored_field_by_field_as_it_was_sent(
    kafka: str, folio_sample_data: Path
) -> None:
    sets = record_sets(folio_sample_data)
    related = relations(folio_sample_data)
    async with relay(kafka) as running:
        running.sandbox.load({"holdings-sources": {"tenants": {"diku": sources(folio_sample_data)}}})
        await running.start_worker()

        upserts = {s["instance"]["hrid"]: {"action": "upsert", **s} for s in sets}
        await running.send(*(changed(hrid, hrid, {"inventory": upsert}) for hrid, upsert in upserts.items()))
        first = by_event(await running.results_of(len(sets)))
        linking = {
            s["instance"]["hrid"]: {
                "action": "upsert",
                "instance": s["instance"],
                "instanceRelations": related[s["instance"]["id"]],
            }
            for s in sets
            if s["instance"]["id"] in related
        }
        await running.send(*(changed(f"{hrid} again", hrid, {"inventory": u}) for hrid, u in linking.items()))
        results = by_event(await running.results_of(len(sets) + len(linking)))

        assert {r["outcome"] for r in first.values()} == {"succeeded"}, first
        assert {r["outcome"] for r in results.values()} == {"succeeded"}, results
        stored = stored_sets(running)
        found = [difference for s in sets for difference in set_differences(s, stored[s["instance"]["hrid"]])]
        assert not found
        assert len(linking) == len(related)
        hrid_of = {s["instance"]["id"]: s["instance"]["hrid"] for s in sets}
        for hrid, upsert in linking.items():
            for kind, entries in upsert["instanceRelations"].items():
                sent = {
                    (hrid_of[e["instanceIdentifier"]["uuid"]], e.get("instanceRelationshipTypeId")) for e in entries
                }
                linked = stored[hrid]["instanceRelations"][kind]
                kept = {(e["instanceIdentifier"]["hrid"], e.get("instanceRelationshipTypeId")) for e in linked}
                assert kept == sent, f"{hrid}: {kind}"
        assert not running.dead_letters.records
