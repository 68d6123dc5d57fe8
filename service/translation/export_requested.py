"""`holdings.export.requested`, from its model to a step and its key."""

from __future__ import annotations

from service.domain.events.export_requested import ExportRequested
from service.domain.operations import ExportHoldings
from service.translation.keys import export_key, new_export_key
from service.translation.translated import Translated


def translate_export_requested(event: ExportRequested, tenant: str) -> Translated:
    """One export. HoldingsIQ knows customers and no tenants, so `tenant` plays no part."""
    step = ExportHoldings(event.cust_id, event.type, event.format, event.export_id)
    if event.export_id is not None:
        return Translated((step,), frozenset({export_key(event.cust_id, event.export_id)}))
    return Translated((step,), frozenset({new_export_key(event.cust_id, event.type or "")}))
