"""FOLIO mod-inventory-update, simulated faithfully and statefully: instances, holdings records and items upserted by
HRID.

`service` has the endpoints, `planning` decides, `execution` writes, `storage` refuses. Nothing here knows HTTP or the
relay.
"""

from service.sandbox.inventory.service import InventoryUpdate
from service.sandbox.inventory.storage_faults import StorageFault

__all__ = ["InventoryUpdate", "StorageFault"]
