"""Many electronic resources at once, for people to look at: through bulk/fetch, or one by one. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from service.domain.answers import Finding
from service.domain.jsonvalue import JsonValue
from service.systems.eholdings import Eholdings
from service.systems.eholdings_calls import BULK_FETCH_LIMIT, BulkFetched
from service.systems.trouble import Trouble

Decision: TypeAlias = Finding | Trouble


@dataclass(frozen=True, slots=True)
class Resources:
    """What was read, and what could not be: ids, with status and message where the system told them."""

    resources: list[JsonValue] = field(default_factory=list)
    failed: list[JsonValue] = field(default_factory=list)


async def read_each(eholdings: Eholdings, tenant: str, ids: Sequence[str]) -> Resources | Decision:
    """Each by a GET of its own, in the order of `ids`. One that is refused does not end it; trouble does."""
    read = Resources()
    for resource_id in ids:
        found = await eholdings.fetch(tenant, resource_id)
        match found:
            case Finding():
                read.failed.append({"id": resource_id, "status": found.status, "message": found.message})
            case Trouble():
                return found
            case _:
                read.resources.append(found)
    return read


async def read_in_bulk(eholdings: Eholdings, tenant: str, ids: Sequence[str]) -> Resources | Decision:
    """Through bulk/fetch, as many at a time as it takes."""
    read = Resources()
    for begin in range(0, len(ids), BULK_FETCH_LIMIT):
        fetched = await eholdings.fetch_many(tenant, ids[begin : begin + BULK_FETCH_LIMIT])
        if not isinstance(fetched, BulkFetched):
            return fetched
        read.resources.extend(fetched.resources)
        read.failed.extend({"id": resource_id, "status": None, "message": None} for resource_id in fetched.failed)
    return read
