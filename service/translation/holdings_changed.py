"""`holdings.changed`, from its model to steps and keys."""

from __future__ import annotations

from collections.abc import Iterator

from service.domain.events.holdings_changed import HoldingsChanged
from service.domain.operations import DeleteHoldingsSource, UpsertHoldingsSource
from service.translation.eholdings import translate_eholdings
from service.translation.inventory import translate_inventory
from service.translation.keys import holdings_source_key
from service.translation.translated import Translated, in_order


def translate_holdings_changed(event: HoldingsChanged, tenant: str) -> Translated:
    """eholdings first, then inventory; a holdings source comes before the records that may use it and goes after
    them.
    """
    return in_order(_parts(event, tenant))


def _parts(event: HoldingsChanged, tenant: str) -> Iterator[Translated]:
    source = event.holdings_source
    if event.eholdings is not None:
        yield translate_eholdings(event.eholdings, tenant)
    if source is not None and source.action == "upsert":
        step = UpsertHoldingsSource(tenant, source.name, source.source)
        yield Translated((step,), frozenset((holdings_source_key(tenant, source.name),)))
    if event.inventory is not None:
        yield translate_inventory(event.inventory, tenant)
    if source is not None and source.action == "delete":
        yield Translated(
            (DeleteHoldingsSource(tenant, source.name),), frozenset((holdings_source_key(tenant, source.name),))
        )
