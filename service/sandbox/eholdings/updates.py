"""How a PUT changes a resource: merged or replaced, attribute by attribute.

mod-kb-ebsco-java, ResourceRequestConverter: coverages, embargo and access type are replaced, everything else keeps its
value when it is left out. It must not check anything.
"""

from __future__ import annotations

from service.sandbox.eholdings.bodies import object_in
from service.sandbox.eholdings.shapes import USER_DEFINED_FIELDS
from service.sandbox.eholdings.state import NO_EMBARGO, Attributes
from service.sandbox.exchange import JsonValue


def merged(old: Attributes, sent: Attributes) -> Attributes:
    """The resource as the module hands it on to the RM API. `sent` has been checked.

    The URL goes on for custom packages only. The proxy is always sent as not inherited. Attributes of the title (name,
    publisher, …) are ignored, for custom titles too.
    """
    new = {**old, "isSelected": sent["isSelected"]}
    kept = ("coverageStatement", *USER_DEFINED_FIELDS, *(("url",) if old["isPackageCustom"] else ()))
    new.update({name: sent[name] for name in kept if sent.get(name) is not None})
    hidden = object_in(sent, "visibilityData").get("isHidden")
    if hidden is not None:
        new["visibilityData"] = {"isHidden": hidden, "reason": ""}
    proxy_id = object_in(sent, "proxy").get("id")
    new["proxy"] = {"id": object_in(old, "proxy").get("id") if proxy_id is None else proxy_id, "inherited": False}
    new["customEmbargoPeriod"] = _embargo(object_in(sent, "customEmbargoPeriod"))
    new["customCoverages"] = old["customCoverages"] if sent["customCoverages"] is None else sent["customCoverages"]
    return new


def _embargo(sent: Attributes) -> JsonValue:
    unit, value = sent.get("embargoUnit"), sent.get("embargoValue")
    if unit is None or not isinstance(value, int) or value <= 0:
        return {**NO_EMBARGO}
    return {"embargoUnit": unit, "embargoValue": value}
