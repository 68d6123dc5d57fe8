"""FOLIO eholdings (mod-kb-ebsco-java `/eholdings/resources` over EBSCO's RM API), simulated with its state."""

from service.sandbox.eholdings.seeds import eholdings_state, resource
from service.sandbox.eholdings.system import Eholdings

__all__ = ["Eholdings", "eholdings_state", "resource"]
