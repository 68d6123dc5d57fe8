"""The state of an eholdings resource in a form that compares, and the PUT that brings it to an intent. Pure.

mod-kb-ebsco-java's PUT merges some attributes and replaces others: custom coverages, the embargo and the access type
are cleared when they are left out, all else is kept. So a PUT always carries those three as they were read or as they
are wanted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple, TypeAlias

from service.domain.jsonvalue import JsonObject, JsonValue

Coverage: TypeAlias = tuple[str, str]
"""First and last day, "" for an open end."""

Embargo: TypeAlias = tuple[str, int]
"""Unit and value."""

Canonical: TypeAlias = bool | str | tuple[Coverage, ...] | Embargo | None

TEXTS: Final = ("coverageStatement", "url", *(f"userDefinedField{number}" for number in range(1, 6)))
_EMPTY_TEXTS: Final[Mapping[str, Canonical]] = dict.fromkeys(TEXTS, "")
FLAGS: Final = ("isSelected", "isHidden")
_JAVA_INT_MAX: Final = 2_147_483_647
_NO_PROXY: Final = ("", "<n>")
"""How a resource without a proxy reads back."""


class _Unreadable(Exception):
    """An attribute has a type that the system does not answer with."""


class Resource(NamedTuple):
    """A resource as it was read. `attributes` has every name that a patch may have, in canonical form."""

    attributes: Mapping[str, Canonical]
    name: str
    tags: tuple[str, ...]

    @property
    def is_selected(self) -> bool:
        """Whether the title is in the customer's holdings."""
        return self.attributes["isSelected"] is True


def read_resource(content: JsonValue) -> Resource | None:
    """The resource in an answer to GET, PUT or POST; None when the answer has no attributes or is none of the system's.

    Strict, because what is misread here is sent back: an attribute of an unknown form must not be taken for an empty
    one.
    """
    data = content.get("data") if isinstance(content, dict) else None
    attributes = data.get("attributes") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(attributes, dict) or "isSelected" not in attributes:
        return None
    try:
        return Resource(
            {
                **_EMPTY_TEXTS,
                **{name: _text(attributes[name]) for name in TEXTS if name in attributes},
                "isSelected": attributes.get("isSelected") is True,
                "isHidden": _object(attributes.get("visibilityData")).get("isHidden") is True,
                "proxyId": _proxy_id(attributes.get("proxy")),
                "customCoverages": _coverages(attributes.get("customCoverages")),
                "customEmbargoPeriod": _embargo(attributes.get("customEmbargoPeriod")),
                "accessTypeId": _access_type_id(data, attributes),
            },
            _text(attributes.get("name")),
            _texts(_object(attributes.get("tags")).get("tagList")),
        )
    except _Unreadable:
        return None


def wanted(patch: Mapping[str, JsonValue]) -> dict[str, Canonical]:
    """A validated patch in canonical form: None has become what its attribute looks like when it is empty."""
    return {name: _canonical(name, value) for name, value in patch.items()}


def differing(resource: Resource, want: Mapping[str, Canonical]) -> tuple[str, ...]:
    """Names of the wanted attributes that the resource does not have, in the order of the patch."""
    attributes = resource.attributes
    return tuple([name for name, value in want.items() if attributes[name] != value])


def put_attributes(resource: Resource, want: Mapping[str, Canonical]) -> dict[str, JsonValue]:
    """What a PUT must carry for the resource to become what is wanted and to keep all else.

    A deselection goes out bare: with anything else the system refuses it, and it drops all customisation anyway.
    """
    if want.get("isSelected") is False:
        return {"isSelected": False}
    after = {**resource.attributes, **want}
    body: dict[str, JsonValue] = {
        "isSelected": after["isSelected"] is True,
        "customCoverages": _coverages_out(after["customCoverages"]),
    }
    match after["customEmbargoPeriod"]:
        case (str(unit), int(value)):
            body["customEmbargoPeriod"] = {"embargoUnit": unit, "embargoValue": value}
        case _:
            pass
    if after["accessTypeId"]:
        body["accessTypeId"] = str(after["accessTypeId"])
    for name in differing(resource, want):
        _put_if_merged(body, name, want[name])
    return body


def tags_differ(resource: Resource, tags: tuple[str, ...]) -> bool:
    """Whether the wanted tags are others than those read; neither order nor repetition counts."""
    return set(resource.tags) != set(tags)


def _put_if_merged(body: dict[str, JsonValue], name: str, value: Canonical) -> None:
    match value:
        case bool() if name == "isHidden":
            body["visibilityData"] = {"isHidden": value}
        case str() if name == "proxyId":
            body["proxy"] = {"id": value}
        case str() if name in TEXTS:
            body[name] = value
        case _:
            pass


def _canonical(name: str, value: JsonValue) -> Canonical:
    if name in FLAGS:
        return value is True
    if name == "customCoverages":
        return _coverages(value)
    if name == "customEmbargoPeriod":
        return _embargo(value)
    if name == "proxyId":
        return "" if value in _NO_PROXY else _text(value)
    return _text(value)


def _text(value: JsonValue) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _Unreadable
    return value


def _texts(value: JsonValue) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise _Unreadable
    return tuple([_text(entry) for entry in value])


def _object(value: JsonValue) -> JsonObject:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _Unreadable
    return value


def _proxy_id(value: JsonValue) -> str:
    """Inherited proxies belong to the package or the provider: the resource itself has none."""
    proxy = _object(value)
    found = _text(proxy.get("id"))
    return "" if proxy.get("inherited") is True or found in _NO_PROXY else found


def _coverages(value: JsonValue) -> tuple[Coverage, ...]:
    """Newest first, as the system gives them back and wants them."""
    if value is None:
        return ()
    if not isinstance(value, list):
        raise _Unreadable
    periods = [_object(entry) for entry in value]
    pairs = [(_text(period.get("beginCoverage")), _text(period.get("endCoverage"))) for period in periods]
    return tuple(sorted((pair for pair in pairs if any(pair)), reverse=True))


def _coverages_out(value: Canonical) -> list[JsonValue]:
    if not isinstance(value, tuple):
        return []
    pairs = [pair for pair in value if isinstance(pair, tuple)]
    return [{"beginCoverage": begin, "endCoverage": end} for begin, end in pairs]


def _embargo(value: JsonValue) -> Embargo | None:
    """`{"embargoUnit": null, "embargoValue": 0}`, `{"embargoValue": 0}` and nothing at all are the same: none."""
    period = _object(value)
    unit, length = period.get("embargoUnit"), period.get("embargoValue")
    if not isinstance(unit, str | None) or not isinstance(length, int | float | None):
        raise _Unreadable
    if length is not None and not -_JAVA_INT_MAX <= length <= _JAVA_INT_MAX:
        raise _Unreadable
    return (unit, int(length)) if unit and length and length > 0 else None


def _access_type_id(data: JsonObject, attributes: JsonObject) -> str:
    """GET tells the access type as a relationship; whether a PUT's answer does depends on the version."""
    related = _object(_object(data.get("relationships")).get("accessType"))
    found = _object(related.get("data")).get("id") or attributes.get("accessTypeId")
    return _text(found)
