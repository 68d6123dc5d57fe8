"""What SCSB holds of an institution: bibs with holdings with items, and how they are linked and deaccessioned.

Owns the records. It must not know requests, nor in which words a transfer is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Item:
    """An item. `raises`: relinking it fails with an exception, as broken data does in the real system."""

    id: str
    barcode: str = ""
    deleted: bool = False
    raises: bool = False


@dataclass(slots=True)
class Holdings:
    """A holdings record. `dummy`: created because a transfer named a destination that did not exist."""

    id: str
    deleted: bool = False
    dummy: bool = False
    raises: bool = False
    items: dict[str, Item] = field(default_factory=dict)


@dataclass(slots=True)
class Bib:
    """A bibliographic record. `deleted` is "deaccessioned": it goes out in the deleted feed."""

    id: str
    deleted: bool = False
    dummy: bool = False
    raises: bool = False
    holdings: dict[str, Holdings] = field(default_factory=dict)

    def settle(self) -> None:
        """scsb-doc, processOrphanRecords: holdings without a live item are deaccessioned, and so is a bib without live
        holdings. It works both ways: what has a live item again is live again.
        """
        for record in self.holdings.values():
            record.deleted = all(item.deleted for item in record.items.values())
        self.deleted = all(record.deleted for record in self.holdings.values())


@dataclass(slots=True)
class Institution:
    """An owning institution. Ids are its own and never seen by another one.

    `without_holdings_ids`: one whose catalogue has no holdings ids, so that a destination may leave it blank.
    """

    code: str
    without_holdings_ids: bool = False
    bibs: dict[str, Bib] = field(default_factory=dict)

    def has_holdings(self, holdings_id: str) -> bool:
        """Whether any bib of the institution has holdings of that id."""
        return any(holdings_id in bib.holdings for bib in self.bibs.values())

    def bib_or_dummy(self, bib_id: str) -> Bib:
        """The bib, made as an incomplete dummy record when there is none."""
        return self.bibs.setdefault(bib_id, Bib(bib_id, dummy=True))
