"""mod-inventory-update's OpenAPI layer: what it refuses with 400 before any handler runs.

Owns the request schemas (of the version that runs, not of its published page) and the wording of the refusals. A body
that passes has objects, arrays and strings where the handlers expect them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import orjson

from service.sandbox.exchange import Call, JsonValue
from service.sandbox.inventory.schemas import ITEM_STATUSES
from service.sandbox.inventory.shapes import JsonObject


class BadRequest(Exception):
    """The request is not in the form of the contract; the text is the body of the 400."""


@dataclass(frozen=True, slots=True)
class Node:
    """One place of a request schema. `type` None accepts any type; members are then checked on objects alone."""

    type: str | None = "object"
    properties: Mapping[str, Node] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    items: Node | None = None
    enum: tuple[str, ...] | None = None
    closed: bool = False
    alternatives: tuple[tuple[str, ...], ...] = ()


_STRING: Final = Node("string")
_OBJECT: Final = Node()


def _array(items: Node) -> Node:
    return Node("array", items=items)


_RETENTION: Final = Node(
    properties={"ifField": _STRING, "matchesPattern": _STRING}, required=("ifField", "matchesPattern"), closed=True
)
_VALUES: Final = Node(properties={"forOmittedProperties": Node(None), "forTheseProperties": _array(_STRING)})
_CAUSES: Final = ("ITEM_STATUS", "ITEM_PATTERN_MATCH", "HOLDINGS_RECORD_PATTERN_MATCH", "PO_LINE_REFERENCE")
_CODING: Final = _array(
    Node(
        properties={
            "if": Node("string", enum=("deleteSkipped",)),
            "becauseOf": Node("string", enum=_CAUSES),
            "setCode": _STRING,
        }
    )
)
_UPSERT_PROCESSING: Final = Node(
    properties={
        "item": Node(
            properties={
                "retainOmittedRecord": _RETENTION,
                "retainExistingValues": _VALUES,
                "status": _OBJECT,
                "statisticalCoding": _CODING,
            }
        ),
        "holdingsRecord": Node(properties={"retainExistingValues": _VALUES, "statisticalCoding": _CODING}),
        "instance": Node(properties={"retainExistingValues": _VALUES, "statisticalCoding": _CODING}),
    }
)
_STATUS_NAME: Final = Node("string", enum=tuple(sorted(ITEM_STATUSES)))
_DELETION: Final = {"blockDeletion": _RETENTION, "statisticalCoding": _CODING}
_DELETE_PROCESSING: Final = Node(
    properties={
        "item": Node(
            properties={
                **_DELETION,
                "status": Node(
                    properties={
                        "policy": Node("string", enum=("retain", "overwrite")),
                        "ifStatusWas": _array(Node(properties={"name": _STATUS_NAME}, required=("policy",))),
                    }
                ),
            }
        ),
        "holdingsRecord": Node(properties=_DELETION),
        "instance": Node(properties=_DELETION),
    }
)
_PROVISIONAL: Final = Node(properties={"title": _STRING, "source": _STRING, "instanceTypeId": _STRING})


def _relation(identifier_type: str | None, required: tuple[str, ...]) -> Node:
    identifier = Node(identifier_type, properties={"hrid": _STRING})
    # The contract spells the type of a relation otherwise than the handlers read it.
    properties = {
        "instanceIdentifier": identifier,
        "provisionalInstance": _PROVISIONAL,
        "instanceRelationShipTypeId": _STRING,
    }
    return Node(properties=properties, required=required)


_RELATIONS: Final = Node(
    None,
    properties={
        "parentInstances": _array(_relation(None, ())),
        "childInstances": _array(_relation("object", ("instanceIdentifier",))),
        "precedingTitles": _array(_relation("object", ("instanceIdentifier",))),
        "succeedingTitles": _array(_relation("object", ("instanceIdentifier",))),
    },
)
_WITH_HRID: Final = Node(properties={"hrid": _STRING})
_HOLDINGS: Final = Node(properties={"hrid": _STRING, "items": _array(_WITH_HRID)})

RECORD_SET: Final = Node(
    properties={
        "instance": _WITH_HRID,
        "holdingsRecords": _array(_HOLDINGS),
        "instanceRelations": _RELATIONS,
        "processing": _UPSERT_PROCESSING,
    },
    required=("instance",),
)
RECORD_SETS: Final = Node(properties={"inventoryRecordSets": _array(RECORD_SET)}, required=("inventoryRecordSets",))
HRID_DELETION: Final = Node(properties={"hrid": _STRING, "processing": _DELETE_PROCESSING})
SHARED_RECORD_SET: Final = Node(
    properties={
        "instance": _OBJECT,
        "holdingsRecords": _array(Node(properties={"items": _array(_OBJECT)})),
        "processing": Node(
            properties={"institutionId": _STRING, "localIdentifier": _STRING, "identifierTypeId": _STRING}
        ),
    }
)
SHARED_RECORD_SETS: Final = Node(properties={"inventoryRecordSets": _array(SHARED_RECORD_SET)})
SHARED_DELETION: Final = Node(
    properties=dict.fromkeys(("institutionId", "localIdentifier", "oaiIdentifier", "identifierTypeId"), _STRING),
    alternatives=(
        ("institutionId", "localIdentifier", "identifierTypeId"),
        ("institutionId", "oaiIdentifier", "identifierTypeId"),
    ),
)


def read_body(call: Call, schema: Node) -> JsonObject:
    """The decoded body of a request that keeps to the contract. Raises BadRequest."""
    if not call.body:
        raise BadRequest("Bad Request: The related request does not contain the required body.")
    content_type = call.header("Content-Type")
    if content_type is None or content_type.partition(";")[0].strip().lower() != "application/json":
        raise BadRequest("Bad Request: The format of the request body is not supported")
    try:
        body: JsonValue = orjson.loads(call.body)
    except orjson.JSONDecodeError:
        raise BadRequest("Bad Request: The request body can't be decoded") from None
    reason = _violation(schema, body, "")
    if reason is not None or not isinstance(body, dict):
        raise BadRequest(f"Bad Request: The value of the request body is invalid. Reason: {reason}")
    return body


def _violation(node: Node, value: JsonValue, path: str) -> str | None:
    if node.type is not None and _type_name(value) != node.type:
        return f"Instance type {_type_name(value)} is invalid. Expected {node.type}{_at(path)}"
    if node.enum is not None and value not in node.enum:
        return f"Instance does not match any of {orjson.dumps(node.enum).decode()}{_at(path)}"
    if isinstance(value, dict):
        return _object_violation(node, value, path)
    if node.items is not None and isinstance(value, list):
        for index, entry in enumerate(value):
            found = _violation(node.items, entry, f"{path}/{index}")
            if found is not None:
                return found
    return None


def _object_violation(node: Node, value: JsonObject, path: str) -> str | None:
    for name in node.required:
        if name not in value:
            return f'Instance does not have required property "{name}"{_at(path)}'
    for name, member in node.properties.items():
        if name in value:
            found = _violation(member, value[name], f"{path}/{name}")
            if found is not None:
                return found
    if node.closed:
        for name in value:
            if name not in node.properties:
                return f'Property "{name}" does not match additional properties schema{_at(path)}'
    if node.alternatives:
        matches = sum(all(name in value for name in names) for names in node.alternatives)
        if matches != 1:
            return f"Instance does not match exactly one subschema ({matches} matches){_at(path)}"
    return None


def _at(path: str) -> str:
    return f" at #{path}" if path else ""


def _type_name(value: JsonValue) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"
