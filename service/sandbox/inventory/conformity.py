"""Does a payload conform to the schema of its records? The checks that storage runs before it touches the database.

First the mapping to the model, which stops at the first fault (an unknown property 422, a value of the wrong kind 400),
then the constraints, all reported together (422). Must not know any stored record.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import assert_never

from service.sandbox.exchange import JsonValue
from service.sandbox.inventory.refusals import NOT_NULL, PATTERN, error_entry, invalid, plain
from service.sandbox.inventory.schemas import ITEM_STATUSES, SCHEMAS, Entity, Kind, Schema
from service.sandbox.inventory.shapes import JsonObject, objects_of
from service.sandbox.storage_text import UUID, UUID_PATTERN

_PACKAGE = "org.folio.rest.jaxrs.model."
_SOURCE = " at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 1]"


def require_conformity(entity: Entity, records: Sequence[JsonObject], *, batched: bool) -> None:
    """Raises Refusal when a record of the payload does not conform.

    `batched` payloads are arrays (POST /instance-storage/batch/synchronous and its kin): keys then carry the position.
    """
    schema = SCHEMAS[entity]
    for index, record in enumerate(records):
        _require_mapping(schema, record, index if batched else None)
    violations: list[JsonObject] = []
    for index, record in enumerate(records):
        prefix = f"{schema.array}[{index}]." if batched else ""
        violations.extend(_violations(schema, record, prefix))
    if violations:
        raise invalid(*violations)


def _require_mapping(schema: Schema, record: JsonObject, index: int | None) -> None:
    kinds = schema.kinds
    for name, value in record.items():
        kind = kinds.get(name)
        if kind is None:
            known = ", ".join(f'"{known}"' for known in kinds)
            raise invalid(
                error_entry(
                    f'Unrecognized field "{name}" (class {_PACKAGE}{schema.model}), not marked as ignorable '
                    f"({len(kinds)} known properties: {known}])\n{_SOURCE} {_chain(schema, index, name)}",
                    key="",
                    value="",
                )
            )
        if value is not None and not _fits(kind, value):
            raise plain(
                400,
                f"Cannot deserialize value of type `{kind.value}` from {_token(value)}\n"
                f"{_SOURCE} {_chain(schema, index, name)}",
            )
    status = record.get("status")
    if "status" in kinds and isinstance(status, dict):
        _require_status(schema, status, index)


def _require_status(schema: Schema, status: JsonObject, index: int | None) -> None:
    for name in status:
        if name not in ("name", "date"):
            raise invalid(
                error_entry(
                    f'Unrecognized field "{name}" (class {_PACKAGE}Status), not marked as ignorable '
                    f'(2 known properties: "name", "date"])\n{_SOURCE} {_chain(schema, index, "status")}',
                    key="",
                    value="",
                )
            )
    value = status.get("name")
    if value is not None and (not isinstance(value, str) or value not in ITEM_STATUSES):
        chain = _chain(schema, index, "status").removesuffix(")") + f'->{_PACKAGE}Status["name"])'
        raise plain(400, f"Cannot construct instance of `{_PACKAGE}Status$Name`, problem: {value}\n{_SOURCE} {chain}")


def _chain(schema: Schema, index: int | None, name: str) -> str:
    start = "" if index is None else f'{_PACKAGE}{schema.batch_model}["{schema.array}"]->java.util.ArrayList[{index}]->'
    return f'(through reference chain: {start}{_PACKAGE}{schema.model}["{name}"])'


def _fits(kind: Kind, value: JsonValue) -> bool:
    match kind:
        case Kind.ARRAY:
            return isinstance(value, list)
        case Kind.OBJECT:
            return isinstance(value, dict)
        case Kind.TEXT:
            return not isinstance(value, list | dict)
        case Kind.FLAG:
            return isinstance(value, bool) or value in ("true", "false")
        case Kind.NUMBER:
            return (isinstance(value, int) and not isinstance(value, bool)) or (
                isinstance(value, str) and value.isdecimal()
            )
        case _:
            assert_never(kind)


def _token(value: JsonValue) -> str:
    if isinstance(value, list):
        return "Array value (token `JsonToken.START_ARRAY`)"
    if isinstance(value, dict):
        return "Object value (token `JsonToken.START_OBJECT`)"
    return f'String "{value}"' if isinstance(value, str) else f"value `{value}`"


def _violations(schema: Schema, record: JsonObject, prefix: str) -> Iterator[JsonObject]:
    for name in schema.required:
        if record.get(name) is None:
            yield _null(prefix + name)
    status = record.get("status")
    if "status" in schema.required and isinstance(status, dict) and status.get("name") is None:
        yield _null(f"{prefix}status.name")
    for name in schema.uuids:
        value = record.get(name)
        if value is not None and not UUID.match(str(value)):
            yield _mismatch(prefix + name, value)
    for name in schema.uuid_lists:
        yield from _mismatches(record.get(name), prefix + name)
    for name, members in schema.required_within.items():
        for position, entry in enumerate(objects_of(record.get(name))):
            missing = [member for member in members if entry.get(member) is None]
            yield from (_null(f"{prefix}{name}[{position}].{member}") for member in missing)


def _mismatches(values: JsonValue, key: str) -> Iterator[JsonObject]:
    for position, value in enumerate(values if isinstance(values, list) else ()):
        if not UUID.match(str(value)):
            yield _mismatch(f"{key}[{position}]", value)


def _null(key: str) -> JsonObject:
    return error_entry("must not be null", NOT_NULL, key, None)


def _mismatch(key: str, value: JsonValue) -> JsonObject:
    return error_entry(f'must match "{UUID_PATTERN}"', PATTERN, key, value)
