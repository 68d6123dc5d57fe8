"""mod-inventory-storage of one tenant: writes that are checked and applied as a whole, deletions, look-ups.

Owns the records and what makes storage refuse. Must not know record sets, omission rules or processing instructions:
those belong to the module above it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from service.sandbox.holdings_sources import HoldingsSources
from service.sandbox.inventory.conformity import require_conformity
from service.sandbox.inventory.identities import SharedIndex
from service.sandbox.inventory.refusals import (
    NOT_NULL,
    UNIQUE_BARCODE,
    already_exists,
    conflict,
    error_entry,
    invalid,
    malformed_uuid,
    missing_reference,
    no_such_holdings,
    plain,
)
from service.sandbox.inventory.schemas import SCHEMAS, UNKNOWN_REFERENCE, Entity
from service.sandbox.inventory.shapes import JsonObject, object_of
from service.sandbox.inventory.storage_faults import StorageFaults
from service.sandbox.inventory.tables import Link, Links, Row, Table
from service.sandbox.storage_text import UUID, fold, new_id

ONLY_INSTITUTION: Final = "*"
"""The owner of every location of a tenant without seeded locations: whichever institution asks."""

_HRID_PREFIXES: Final = {Entity.INSTANCE: "in", Entity.HOLDINGS_RECORD: "ho", Entity.ITEM: "it"}


class TenantStorage:
    """Tables of one tenant. `locations` None takes every UUID but UNKNOWN_REFERENCE for a location; otherwise its keys
    are the locations there are, its values their institutions.
    """

    def __init__(self, tenant: str, sources: HoldingsSources, faults: StorageFaults) -> None:
        self.tenant = tenant
        self.instances = Table(None)
        self.holdings = Table("instanceId")
        self.items = Table("holdingsRecordId")
        self.tables = {Entity.INSTANCE: self.instances, Entity.HOLDINGS_RECORD: self.holdings, Entity.ITEM: self.items}
        self.parents = Links("subInstanceId", "superInstanceId", typed=True)
        self.successions = Links("succeedingInstanceId", "precedingInstanceId", typed=False)
        self.links = {Entity.INSTANCE_RELATIONSHIP: self.parents, Entity.INSTANCE_TITLE_SUCCESSION: self.successions}
        self.shared = SharedIndex()
        self.locations: dict[str, str | None] | None = None
        self.ordered_instances: set[str] = set()
        self.faults = faults
        self._sources = sources
        self._source_uses: dict[str, int] = {}
        self._ids_by_barcode: dict[str, str] = {}
        self._minted_hrids = dict.fromkeys(Entity, 0)

    def uses_source(self, source_id: str) -> bool:
        """Whether a holdings record refers to this holdings source."""
        return self._source_uses.get(source_id, 0) > 0

    def write(self, entity: Entity, records: Sequence[JsonObject], operation: str, *, batched: bool = True) -> None:
        """Inserts or updates all records, or none and raises Refusal. `operation` ("create", "update") is for the
        faults alone.

        `batched` False is the API for a single record, whose error messages differ. Raises NoAnswer when the connection
        drops.
        """
        table = self.tables[entity]
        if self.faults.waiting:
            self.faults.raise_on_write(operation, entity, records, table.get(str(records[0].get("id"))))
        require_conformity(entity, records, batched=batched)
        hrids: dict[str, str] = {}
        barcodes: dict[str, str] = {}
        for record in records:
            self._require_writable(entity, table, record, hrids, barcodes, batched=batched)
        for record in records:
            self._apply(entity, table, record)

    def write_link(self, entity: Entity, record: JsonObject) -> None:
        """Inserts a relation between instances, or raises Refusal."""
        links = self.links[entity]
        table = "instance_relationship" if links.typed else "preceding_succeeding_title"
        ends = (links.lower_name, links.upper_name)
        required = ("instanceRelationshipTypeId", *ends) if links.typed else ends
        missing = [
            error_entry("must not be null", NOT_NULL, name, None) for name in required if record.get(name) is None
        ]
        if missing:
            raise invalid(*missing)
        for name in ends:
            if self.instances.get(str(record[name])) is None:
                raise missing_reference(table, name, str(record[name]), "instance")
        key = links.key_of(record)
        if links.has(key):
            raise plain(400, f"value already exists in table {table}: {key[0]}, {key[1]}")
        type_id = key[2]
        if type_id is not None and type_id.lower() == UNKNOWN_REFERENCE:
            raise missing_reference(table, "instanceRelationshipTypeId", type_id, "instance_relationship_type")
        links.put(Link(new_id(), *key))

    def delete(self, entity: Entity, row: Row) -> None:
        """Deletes a record, or raises Refusal with the text that the module makes of it ("404: Not found")."""
        if self.faults.waiting:
            self.faults.raise_on_delete(row.hrid)
        record_id = row.id
        table = self.tables[entity]
        current = table.get(record_id)
        if current is None:
            raise plain(404, "404: Not found")
        below = self._first_table_below(entity, record_id)
        if below is not None:
            text = f"because id is still referenced from table {below}."
            raise plain(400, f"400: Cannot delete {SCHEMAS[entity].table}.id = {record_id} {text}")
        table.remove(record_id)
        self._forget(entity, current)

    def delete_link(self, entity: Entity, record: JsonObject) -> None:
        """Deletes a relation, or raises Refusal when it is not there any more."""
        links = self.links[entity]
        if not links.remove(links.key_of(record)):
            raise plain(404, "404: Not found")

    def mark(self, entity: Entity, row: Row, codes: Sequence[str]) -> None:
        """Adds statistical codes to a record and counts its version up. Codes that storage refuses change nothing."""
        current = self.tables[entity].get(row.id)
        if current is None or not all(UUID.match(code) for code in codes):
            return
        old = current.record.get("statisticalCodeIds")
        kept = old if isinstance(old, list) else []
        record = dict(current.record)
        if codes:
            record["statisticalCodeIds"] = [*kept, *(code for code in codes if code not in kept)]
        self._apply(entity, self.tables[entity], record)

    def institution_of(self, location_id: str) -> str | None:
        """The institution of a location; ONLY_INSTITUTION where no locations are seeded, None for an unknown one."""
        return ONLY_INSTITUTION if self.locations is None else self.locations.get(location_id)

    def _require_writable(
        self,
        entity: Entity,
        table: Table,
        record: JsonObject,
        hrids: dict[str, str],
        barcodes: dict[str, str],
        *,
        batched: bool,
    ) -> None:
        record_id = str(record.get("id"))
        stored = table.get(record_id)
        if stored is not None and record.get("_version") != stored.version:
            raise conflict(record_id, stored.version, record.get("_version"))
        if not UUID.match(record_id) and "id" in record:
            raise malformed_uuid(record_id)
        if entity is Entity.ITEM and self.holdings.get(str(record["holdingsRecordId"])) is None:
            raise no_such_holdings(str(record["holdingsRecordId"]))
        self._require_references(entity, record)
        schema = SCHEMAS[entity]
        hrid = record.get("hrid")
        if hrid:
            folded = fold(str(hrid))
            if (table.holder(folded) or hrids.setdefault(folded, record_id)) != record_id:
                if batched:
                    raise already_exists(schema.table, folded)
                raise plain(400, f"HRID value already exists in table {schema.table}: {folded}")
        barcode = record.get("barcode")
        if entity is Entity.ITEM and barcode:
            folded = fold(str(barcode))
            if (self._ids_by_barcode.get(folded) or barcodes.setdefault(folded, record_id)) != record_id:
                message = f"{UNIQUE_BARCODE} value already exists in table item: {folded}"
                raise invalid(error_entry(message, key=UNIQUE_BARCODE, value=folded))

    def _require_references(self, entity: Entity, record: JsonObject) -> None:
        schema = SCHEMAS[entity]
        for column, referenced in schema.foreign_keys:
            value = record.get(column)
            if value is None:
                continue
            reference = str(value)
            if not UUID.match(reference):
                raise malformed_uuid(reference)
            if not self._exists(referenced, reference):
                raise missing_reference(schema.table, column, reference, referenced)

    def _exists(self, table: str, reference: str) -> bool:
        if table == "instance":
            return self.instances.get(reference) is not None
        if table == "holdings_records_source":
            return self._sources.exists(self.tenant, reference)
        if table == "location" and self.locations is not None:
            return reference in self.locations
        return reference.lower() != UNKNOWN_REFERENCE

    def _apply(self, entity: Entity, table: Table, record: JsonObject) -> None:
        computed = SCHEMAS[entity].computed
        kept: JsonObject = {
            name: value for name, value in record.items() if name != "_version" and name not in computed
        }
        if not kept.get("id"):
            kept["id"] = new_id()
        previous = table.get(str(kept["id"]))
        if not kept.get("hrid"):
            kept["hrid"] = previous.hrid if previous is not None else self._mint_hrid(entity, table)
        now = time.time()
        if previous is None:
            row = Row(kept, 1, now)
        else:
            same_status = object_of(previous.record.get("status")).get("name") == object_of(kept.get("status")).get(
                "name"
            )
            changed = previous.status_seconds if same_status else now
            row = Row(kept, previous.version + 1, previous.created_seconds, now, changed)
            self._forget(entity, previous)
        table.put(row)
        self._remember(entity, row)

    def restore(self, entity: Entity, record: JsonObject, version: int) -> None:
        """Puts a seeded record in place without the checks of a write; takes over the HRID from whichever record had
        it.
        """
        table = self.tables[entity]
        holder = table.holder(str(record["hrid"]))
        if holder is not None:
            self._remove_quietly(entity, holder)
        self._remove_quietly(entity, str(record["id"]))
        row = Row({name: value for name, value in record.items() if name not in SCHEMAS[entity].computed}, version)
        table.put(row)
        self._remember(entity, row)

    def remove_set(self, instance: Row) -> None:
        """Removes an instance with all that belongs to it, without any check; for replacing seeded record sets."""
        for links in self.links.values():
            for link in links.of(instance.id):
                links.remove(link.key)
        for holdings in self.holdings.below(instance.id):
            for item in self.items.below(holdings.id):
                self._remove_quietly(Entity.ITEM, item.id)
            self._remove_quietly(Entity.HOLDINGS_RECORD, holdings.id)
        self._remove_quietly(Entity.INSTANCE, instance.id)

    def _remove_quietly(self, entity: Entity, record_id: str) -> None:
        removed = self.tables[entity].remove(record_id)
        if removed is not None:
            self._forget(entity, removed)

    def _mint_hrid(self, entity: Entity, table: Table) -> str:
        while True:
            self._minted_hrids[entity] += 1
            hrid = f"{_HRID_PREFIXES[entity]}{self._minted_hrids[entity]:011d}"
            if table.holder(hrid) is None:
                return hrid

    def _first_table_below(self, entity: Entity, record_id: str) -> str | None:
        if entity is Entity.INSTANCE:
            if self.holdings.below(record_id):
                return "holdings_record"
            if self.parents.of(record_id):
                return "instance_relationship"
            return "preceding_succeeding_title" if self.successions.of(record_id) else None
        return "item" if entity is Entity.HOLDINGS_RECORD and self.items.below(record_id) else None

    def _remember(self, entity: Entity, row: Row) -> None:
        if entity is Entity.HOLDINGS_RECORD:
            source_id = str(row.record.get("sourceId"))
            self._source_uses[source_id] = self._source_uses.get(source_id, 0) + 1
        elif entity is Entity.ITEM:
            if row.record.get("barcode"):
                self._ids_by_barcode[fold(str(row.record["barcode"]))] = row.id
        else:
            self.shared.add(row)

    def _forget(self, entity: Entity, row: Row) -> None:
        if entity is Entity.HOLDINGS_RECORD:
            self._source_uses[str(row.record.get("sourceId"))] -= 1
        elif entity is Entity.ITEM:
            if row.record.get("barcode"):
                self._ids_by_barcode.pop(fold(str(row.record["barcode"])), None)
        else:
            self.shared.discard(row)
