"""One export: its record as the API shows it, and its file.

Owns the shapes of the record. It must not know paths, keys or links.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Final

from service.sandbox.content import Content
from service.sandbox.exchange import JsonValue
from service.sandbox.holdingsiq.csv_file import CsvFile
from service.sandbox.holdingsiq.plans import COMPLETED, Plan
from service.sandbox.holdingsiq.rows import content_of
from service.sandbox.holdingsiq.titles import MANAGED_PACKAGES, is_custom

JsonObject = dict[str, JsonValue]

_PART_BYTES: Final = 8 * 1024 * 1024


@dataclass
class Export:
    """An export of a customer. `created` is epoch seconds; `polls` are the readings of its record so far."""

    id: str
    cust_id: str
    type: str
    format: str
    created: float
    plan: Plan = field(default_factory=Plan)
    polls: int = 0

    @cached_property
    def content(self) -> Content:
        """The bytes of its file, whatever its status."""
        return content_of(self.type, self.plan.file)

    @cached_property
    def etag(self) -> str:
        """The tag of its file, quoted; of several parts, as that of a large file is: not the MD5 of its bytes."""
        digest = hashlib.sha256(repr((self.id, self.type, self.plan.file)).encode()).hexdigest()[:32]
        return f'"{digest}-{1 + self.content.size // _PART_BYTES}"'

    @property
    def file_name(self) -> str:
        """`testExport_standard_csv` for customer `test`, without the extension that the download adds."""
        return self.plan.file_name or f"{self.cust_id}Export_{self.type.lower()}_{self.format.lower()}"

    def status(self, now: float) -> str:
        """The word for where it stands."""
        return self.plan.status(self.polls, now - self.created)

    def poll(self, now: float) -> str:
        """Its status, read once more."""
        status = self.status(now)
        self.polls += 1
        return status

    def on_creation(self) -> JsonObject:
        """The record in the answer of the POST: with the customer, its time in microseconds, and no links."""
        created = _moment(self.created).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return {"custId": self.cust_id, **self._record(self.plan.statuses[0], created)}

    def on_reading(self, status: str, href: str | None) -> JsonObject:
        """The record in all other answers: without the customer, its time in milliseconds.

        Once completed, it has a link (None leaves it out), a size and, as texts, counts.
        """
        moment = _moment(self.created)
        created = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
        record = self._record(status, created)
        if status != COMPLETED:
            return record
        if href is not None:
            record["links"] = [{"href": href, "rel": "download"}]
        record["size"] = self.content.size if self.plan.size is None else self.plan.size
        if self.plan.counts is not None:
            record["customerHoldingsCounts"] = {**holdings_counts(self.plan.file), **self.plan.counts}
        return record

    def _record(self, status: str, created: str) -> JsonObject:
        return {
            "id": self.id,
            "type": self.type,
            "fileName": self.file_name,
            "status": status,
            "created": created,
            "format": self.format,
        }


def holdings_counts(file: CsvFile) -> Mapping[str, str]:
    """What the record states of a file: titles in packages, which are fewer than rows where a title has several.

    Of a file whose bytes are given, the lines below the first one are taken for titles.
    """
    if file.content is not None:
        total = max(0, len(file.content.splitlines()) - 1)
        custom = 0
    else:
        total = -(-file.rows // file.coverages)
        hundreds, rest = divmod(total, 100)
        custom = hundreds * sum(map(is_custom, range(100))) + sum(map(is_custom, range(rest)))
    return {
        "totalResourceCount": str(total),
        "managedResourceCount": str(total - custom),
        "customResourceCount": str(custom),
        "totalManagedPackageCount": str(min(total, MANAGED_PACKAGES)),
        "totalCustomPackageCount": str(min(custom, 1)),
        "uniqueResourceCount": str(total),
        "uniqueManagedResourceCount": str(total - custom),
        "uniqueCustomResourceCount": str(custom),
    }


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
