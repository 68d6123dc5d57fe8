"""What an event that cannot be carried out asked for, as far as its raw data tells: so that its result names the same
things, in the same order, as it would have done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Final

from service.domain.jsonvalue import JsonObject, JsonValue
from service.domain.operations import Asked
from service.translation.transfer_requested import HOLDINGS_IDS, ITEM_IDS

ASKED_LIMIT: Final = 3000
"""Things asked for that are named one by one. More would not fit in a result, and a megabyte can hold half a million
entries of nothing."""

Target = Callable[[JsonObject], str | None]


def asked_of_holdings_changed(data: JsonValue) -> tuple[Asked, ...]:
    """One entry for each part that is there at all."""
    return tuple(_parts(data)) if isinstance(data, Mapping) else ()


def asked_of_transfer_requested(data: JsonValue) -> tuple[Asked, ...]:
    """One entry for each entry of the transfer, holdings before items, then one for each operation on inventory; past
    `ASKED_LIMIT` one for all the rest."""
    if not isinstance(data, Mapping):
        return ()
    holdings, items, inventory = (_list(data, name) for name in ("holdingTransfers", "itemTransfers", "inventory"))
    each = chain(
        (Asked("scsb", "transfer-holdings", _source_ids(entry, HOLDINGS_IDS)) for entry in holdings),
        (Asked("scsb", "transfer-item", _source_ids(entry, ITEM_IDS)) for entry in items),
        (_operation("inventory", operation, _INVENTORY) for operation in inventory),
    )
    asked = tuple(islice(each, ASKED_LIMIT))
    more = len(holdings) + len(items) + len(inventory) - len(asked)
    return (*asked, Asked(None, None, f"{more} more")) if more else asked


def asked_of_export_requested(data: JsonValue) -> tuple[Asked, ...]:
    """The export, by its id, else by customer and type."""
    if not isinstance(data, Mapping):
        return ()
    target = _joined("", data, ("exportId",)) or _joined("/", data, ("custId", "type"))
    return (Asked("holdingsiq", "export", target),)


def _parts(data: JsonObject) -> Iterator[Asked]:
    eholdings, inventory, source = data.get("eholdings"), data.get("inventory"), data.get("holdingsSource")
    if eholdings is not None:
        yield _operation("eholdings", eholdings, _EHOLDINGS)
    goes_last = isinstance(source, Mapping) and source.get("action") == "delete"
    if source is not None and not goes_last:
        yield _operation("holdings-sources", source, _HOLDINGS_SOURCE)
    if inventory is not None:
        yield _operation("inventory", inventory, _INVENTORY)
    if goes_last:
        yield _operation("holdings-sources", source, _HOLDINGS_SOURCE)


def _operation(system: str, raw: JsonValue, targets: Mapping[str, Target]) -> Asked:
    action = raw.get("action") if isinstance(raw, Mapping) else None
    if not isinstance(raw, Mapping) or not isinstance(action, str) or action not in targets:
        return Asked(system, None, None)
    return Asked(system, action, targets[action](raw))


def _named(name: str) -> Target:
    return lambda raw: _joined("", raw, (name,))


def _instance_hrid(raw: JsonObject) -> str | None:
    instance = raw.get("instance")
    return _joined("", instance, ("hrid",)) if isinstance(instance, Mapping) else None


def _shared(raw: JsonObject) -> str | None:
    by_local_identifier = _joined("/", raw, ("institutionId", "localIdentifier"))
    return by_local_identifier or _joined("/", raw, ("institutionId", "oaiIdentifier"))


def _source_ids(raw: JsonValue, ids: tuple[str, ...]) -> str | None:
    source = raw.get("source") if isinstance(raw, Mapping) else None
    return _joined("/", source, ids) if isinstance(source, Mapping) else None


def _joined(separator: str, raw: JsonObject, names: tuple[str, ...]) -> str | None:
    texts = [text for name in names if isinstance(text := raw.get(name), str)]
    return separator.join(texts) if len(texts) == len(names) else None


def _list(data: JsonObject, name: str) -> Sequence[JsonValue]:
    entries = data.get(name)
    return entries if isinstance(entries, list) else ()


_EHOLDINGS: Final[Mapping[str, Target]] = {
    "update": _named("resourceId"),
    "deselect": _named("resourceId"),
    "add": lambda raw: _joined("-", raw, ("packageId", "titleId")),
    "remove": _named("resourceId"),
}
_INVENTORY: Final[Mapping[str, Target]] = {
    "upsert": _instance_hrid,
    "delete": _named("hrid"),
    "upsert-shared": lambda raw: _joined("/", raw, ("institutionId", "localIdentifier")),
    "delete-shared": _shared,
}
_HOLDINGS_SOURCE: Final[Mapping[str, Target]] = {"upsert": _named("name"), "delete": _named("name")}
