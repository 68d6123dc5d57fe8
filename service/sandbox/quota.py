"""A daily quota of calls, as EBSCO counts them for each customer.

Owns the counting and its seed data. It must not know how a system says that the quota is spent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from service.sandbox.exchange import JsonValue
from service.sandbox.seeds import StateError, object_at, require_known

SECONDS_PER_DAY: Final = 86_400


@dataclass(slots=True)
class Quota:
    """Calls of one UTC day. `limit` None never runs out."""

    limit: int | None
    clock: Callable[[], float]
    used: int = 0
    day: int = -1

    def take(self) -> bool:
        """Counts one call; False when the day's calls are spent."""
        today = int(self.clock() // SECONDS_PER_DAY)
        if today != self.day:
            if self.day >= 0:
                self.used = 0
            self.day = today
        if self.limit is not None and self.used >= self.limit:
            return False
        self.used += 1
        return True

    def copy(self) -> Quota:
        """The same count, kept apart from now on."""
        return replace(self)


def read_quota(quota: Quota, content: JsonValue, where: str) -> None:
    """Sets a quota by `{"limit": number|null, "used"?: number}`. Raises StateError; nothing is set then."""
    item = object_at(content, where)
    require_known(item, ("limit", "used"), where)
    limit, used = item.get("limit"), item.get("used", 0)
    if limit is not None and (type(limit) is not int or limit < 0):
        raise StateError(f"{where}.limit", "a whole number, 0 or more, or null")
    if type(used) is not int or used < 0:
        raise StateError(f"{where}.used", "a whole number, 0 or more")
    quota.limit = limit
    quota.used = used


def write_quota(quota: Quota) -> dict[str, JsonValue]:
    """The quota in the shape that `read_quota` takes."""
    return {"limit": quota.limit, "used": quota.used}
