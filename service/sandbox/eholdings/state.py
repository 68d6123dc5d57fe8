"""What one tenant's eholdings and the RM API behind it hold.

Owns the records. It must not know HTTP, nor what a request looks like.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from service.sandbox.exchange import JsonValue
from service.sandbox.quota import Quota

Attributes = dict[str, JsonValue]

INHERITED_PROXY: Final[dict[str, JsonValue]] = {"id": "<n>", "inherited": True}
NO_EMBARGO: Final[dict[str, JsonValue]] = {"embargoValue": 0}
VISIBLE: Final[dict[str, JsonValue]] = {"isHidden": False, "reason": ""}


@dataclass(slots=True)
class Package:
    """A package of a provider; titles are added to and removed from custom ones only."""

    name: str
    provider_name: str
    is_custom: bool


@dataclass(slots=True)
class Tenant:
    """One tenant. `resources` holds attributes as GET shows them, less what `documents.py` adds.

    `lost` are resources that a package once had: the RM API answers an empty list for them, where it answers 404 for
    one it never had. Access types and tags live in the module, by resource id, and survive there on their own.
    `bulk_cache` holds copies with the second at which each is forgotten.
    """

    quota: Quota
    resources: dict[str, Attributes] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    packages: dict[str, Package] = field(default_factory=dict)
    titles: dict[str, Attributes] = field(default_factory=dict)
    access_types: dict[str, str] = field(default_factory=dict)
    access_type_of: dict[str, str] = field(default_factory=dict)
    tags: dict[str, list[str]] = field(default_factory=dict)
    has_kb_credentials: bool = True
    bulk_cache: dict[str, tuple[float, Attributes]] = field(default_factory=dict)

    def store(self, resource_id: str, attributes: Attributes) -> None:
        """Puts a resource in its package; its title becomes known to the knowledge base."""
        self.resources[resource_id] = attributes
        self.lost.discard(resource_id)

    def lose(self, resource_id: str) -> None:
        """Takes a resource out of its package; nothing of its customisation stays."""
        self.resources.pop(resource_id, None)
        self.lost.add(resource_id)
