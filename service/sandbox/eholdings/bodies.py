"""RMB, the framework in front of the module: headers, JSON, schema. It refuses before any of the module's code runs.

Owns the order headers, JSON, kinds of values, required fields. It must not know what an attribute means.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, assert_never

import orjson

from service.sandbox.eholdings.answers import JSON_API, NOT_NULL, bad_request, violations
from service.sandbox.eholdings.shapes import Flag, ListOf, Object, OneOf, Shape, Text, Whole
from service.sandbox.exchange import Call, JsonValue

JsonObject = dict[str, JsonValue]

_KINDS: Final = {list: "Array", dict: "Object", bool: "Boolean", str: "String", int: "Integer", float: "Floating-point"}


def check_headers(call: Call, *, has_body: bool) -> None:
    """Content-Type must be JSON:API where there is a body; Accept, where sent, must let JSON:API in.

    A missing Content-Type counts as application/json.
    """
    if has_body:
        content_type = (call.header("content-type") or "application/json").partition(";")[0].strip()
        if content_type != JSON_API:
            raise bad_request(f'Content-type header must be ["{JSON_API}"] but it is "{content_type}"')
    accept = call.header("accept")
    if accept is not None and not any(kind in accept for kind in (JSON_API, "*/*", "application/*")):
        raise bad_request(
            f'Accept header must be ["{JSON_API}"] for this request, but it is "{accept}", can not send */*'
        )


def read_body(call: Call, shape: Object, required: Sequence[str]) -> JsonObject:
    """The body by its shape. `required` are dotted paths that must not be null; nothing below a null is looked at."""
    try:
        raw: JsonValue = orjson.loads(call.body)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"Json content error: {error}") from error
    if raw is None:
        raise bad_request("Json content error HV000116: The object to be validated must not be null.")
    content = _read(shape, raw)
    if not isinstance(content, dict):
        raise bad_request(f"Cannot deserialize value of type `{shape.java_class}`")
    missing = [path for path in required if _is_missing(content, path)]
    if missing:
        raise violations([("must not be null", NOT_NULL, path, "null") for path in missing])
    return content


def object_in(content: JsonObject, name: str) -> JsonObject:
    """A nested object; empty when it is null or absent."""
    value = content.get(name)
    return value if isinstance(value, dict) else {}


def text_in(content: JsonObject, name: str) -> str | None:
    """A text; None when it is null or absent."""
    value = content.get(name)
    return value if isinstance(value, str) else None


def _is_missing(content: JsonObject, path: str) -> bool:
    *parents, name = path.split(".")
    here: JsonValue = content
    for parent in parents:
        here = here.get(parent) if isinstance(here, dict) else None
    return isinstance(here, dict) and here.get(name) is None


def _read(shape: Shape, value: JsonValue) -> JsonValue:
    if value is None:
        return None
    match shape:
        case Object():
            return _read_object(shape, value)
        case ListOf(item):
            if not isinstance(value, list):
                raise _misfit("java.util.ArrayList", value)
            return [_read(item, element) for element in value]
        case OneOf(java_class, words):
            if value not in words:
                raise bad_request(f"Cannot construct instance of `{java_class}`, problem: {value}")
            return value
        case Text():
            return _read_text(value)
        case Flag():
            return _read_flag(value)
        case Whole():
            return _read_whole(value)
        case _:
            assert_never(shape)


def _read_object(shape: Object, value: JsonValue) -> JsonObject:
    if not isinstance(value, dict):
        raise _misfit(shape.java_class, value)
    content: JsonObject = {}
    for name, element in value.items():
        field = shape.fields.get(name)
        if field is None and not shape.is_open:
            known = ", ".join(f'"{known}"' for known in shape.fields)
            message = (
                f'Unrecognized field "{name}" (class {shape.java_class}), not marked as ignorable '
                f"({len(shape.fields)} known properties: {known}])"
            )
            raise violations([(message, "-1", "", "")])
        content[name] = element if field is None else _read(field, element)
    for name, field in shape.fields.items():
        if isinstance(field, ListOf):
            content.setdefault(name, [])
    return content


def _read_text(value: JsonValue) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case _:
            raise _misfit("java.lang.String", value)


def _read_flag(value: JsonValue) -> bool | None:
    match value:
        case bool():
            return value
        case int():
            return value != 0
        case "true" | "True" | "TRUE":
            return True
        case "false" | "False" | "FALSE":
            return False
        case "":
            return None
        case _:
            raise _misfit("java.lang.Boolean", value)


def _read_whole(value: JsonValue) -> int | None:
    match value:
        case bool():
            raise _misfit("java.lang.Integer", value)
        case int() | float():
            return int(value)
        case "":
            return None
        case str() if value.strip().lstrip("+-").isdigit():
            return int(value)
        case _:
            raise _misfit("java.lang.Integer", value)


def _misfit(java_class: str, value: JsonValue) -> Exception:
    return bad_request(f"Cannot deserialize value of type `{java_class}` from {_KINDS[type(value)]} value")
