"""Names of the entities that events touch: what has equal keys is handled in order, what has not never waits for each
other.

Keys err on the side of equality: two ways to name one entity must give one key, while two entities that share a key
merely queue.

| key | entity |
|---|---|
| `("eholdings", tenant, resource id)` | an electronic resource; leading zeros of its numbers do not count |
| `("inventory", tenant, "instance" or "holdings" or "item", hrid)` | a record, its HRID folded as storage compares it |
| `("inventory", tenant, "uuid", uuid)` | an instance that a relation names by UUID |
| `("inventory", tenant, "shared", institution id, identifier)` | one institution's part of a shared instance |
| `("inventory", tenant, "match", match key or title)` | the shared instance that a match key finds |
| `("holdings-source", tenant, name)` | a holdings source, its name folded |
| `("scsb", institution, bib id)` | a bib, as source or as destination |
| `("holdingsiq", customer, "export", export id)` | an export that exists |
| `("holdingsiq", customer, "type", type)` | the next new export of a type |
"""

from __future__ import annotations

from service.domain.folding import fold
from service.domain.operations import EntityKey


def resource_key(tenant: str, resource_id: str) -> EntityKey:
    """mod-kb-ebsco-java reads the three parts as numbers, so 22-01-7 is 22-1-7."""
    return ("eholdings", tenant, "-".join([part.lstrip("0") or "0" for part in resource_id.split("-")]))


def instance_key(tenant: str, hrid: str) -> EntityKey:
    return ("inventory", tenant, "instance", fold(hrid))


def instance_uuid_key(tenant: str, uuid: str) -> EntityKey:
    return ("inventory", tenant, "uuid", uuid.lower())


def holdings_key(tenant: str, hrid: str) -> EntityKey:
    return ("inventory", tenant, "holdings", fold(hrid))


def item_key(tenant: str, hrid: str) -> EntityKey:
    return ("inventory", tenant, "item", fold(hrid))


def shared_key(tenant: str, institution_id: str, identifier: str) -> EntityKey:
    """mod-inventory-update: the local identifier is what follows the last colon of an OAI identifier."""
    return ("inventory", tenant, "shared", institution_id, identifier.rpartition(":")[2])


def match_key(tenant: str, key_or_title: str) -> EntityKey:
    return ("inventory", tenant, "match", fold(key_or_title))


def holdings_source_key(tenant: str, name: str) -> EntityKey:
    return ("holdings-source", tenant, fold(name))


def bib_key(institution: str, bib_id: str) -> EntityKey:
    """SCSB ids are compared byte for byte: leading dots and zeros count."""
    return ("scsb", institution, bib_id)


def export_key(cust_id: str, export_id: str) -> EntityKey:
    """Ids of exports are opaque: compared byte for byte."""
    return ("holdingsiq", cust_id, "export", export_id)


def new_export_key(cust_id: str, kind: str) -> EntityKey:
    """One new export of a type at a time: after a lost answer, the newest of the list is taken for ours."""
    return ("holdingsiq", cust_id, "type", kind)
