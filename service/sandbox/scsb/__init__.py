"""ReCAP SCSB's transfer of holdings and items, simulated with its state."""

from service.sandbox.scsb.collection import Bib, Holdings, Institution, Item
from service.sandbox.scsb.seeds import bib, holdings, institution, item, scsb_state
from service.sandbox.scsb.system import Scsb

__all__ = ["Bib", "Holdings", "Institution", "Item", "Scsb", "bib", "holdings", "institution", "item", "scsb_state"]
