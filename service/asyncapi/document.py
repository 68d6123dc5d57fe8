"""The AsyncAPI 3.0 document: channels, messages, operations and schemas of every topic, from the catalogue.

Owns the form of the document. Schemas stay JSON Schema; what AsyncAPI does not take of it is put in another way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from service import __version__
from service.asyncapi.catalogue import Direction, EventType, Schema, dead_letter_headers, event_schema, event_types
from service.asyncapi.examples import Example, dead_letter_example, examples_of, in_binary_mode
from service.kafka.topics import DEAD_LETTERS, TOPICS, TopicSpec

ASYNCAPI: Final = "3.0.0"
_BINDING_VERSION: Final = "0.5.0"
_STRUCTURED: Final = "application/cloudevents+json"
_JSON: Final = "application/json"
_BYTES: Final = "application/octet-stream"
_DESCRIPTION: Final = (
    "Reads holdings events from Kafka, carries them out in FOLIO, ReCAP SCSB and EBSCO HoldingsIQ, and publishes one "
    "result per event. Events are CloudEvents 1.0 in JSON; those in may come in structured or in binary mode, those "
    "out are in structured mode."
)


def document(prefix: str, server: str | None = None) -> dict[str, Any]:
    """The whole document, for topics with this prefix. `server` is `host:port` of a broker to name in it."""
    made = _Document(prefix)
    for event_type in event_types():
        made.add(event_type)
    made.add_dead_letters()
    servers = {"kafka": {"host": server, "protocol": "kafka"}} if server else {}
    return {
        "asyncapi": ASYNCAPI,
        "info": {
            "title": "holdings-relay",
            "version": __version__,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": _STRUCTURED,
        **({"servers": servers} if servers else {}),
        "channels": made.channels,
        "operations": made.operations,
        "components": {"messages": made.messages, "schemas": made.schemas},
    }


class _Document:
    """The parts, as they come together."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._specs = {spec.name: spec for spec in TOPICS}
        self.channels: dict[str, Any] = {}
        self.operations: dict[str, Any] = {}
        self.messages: dict[str, Any] = {}
        self.schemas: dict[str, Any] = {}

    def add(self, event_type: EventType) -> None:
        """The channel of an event type, its messages, its operation and its schemas."""
        name = identifier(event_type.name)
        examples = examples_of(event_type.name)
        data = self._keep(f"{name}Data", event_type.data)
        event = self._keep(name, event_schema(replace(event_type, data=data)))
        structured = {
            "name": event_type.name,
            "title": f"{event_type.name} in structured mode",
            "summary": event_type.summary,
            "contentType": _STRUCTURED,
            "headers": _content_type_header(_STRUCTURED),
            "payload": event,
            "bindings": _message_binding(event_type.key),
            "examples": [_structured(example) for example in examples],
        }
        messages = {f"{name}Structured": structured}
        if event_type.direction is Direction.IN:
            messages[f"{name}Binary"] = {
                **structured,
                "title": f"{event_type.name} in binary mode",
                "contentType": _JSON,
                "headers": _binary_headers(event_type),
                "payload": data,
                "examples": [in_binary_mode(example) for example in examples],
            }
        self._add_channel(event_type.topic, messages, event_type.direction, event_type.summary)

    def add_dead_letters(self) -> None:
        """Dead letters are no events: any bytes, with headers that say why."""
        summary = "A record that failed, wholly or in part, byte for byte, and why."
        message = {
            "name": "dead-letter",
            "title": "A dead letter",
            "summary": summary,
            "contentType": _BYTES,
            "headers": self._keep("DeadLetterHeaders", dead_letter_headers()),
            "payload": {"description": "The value of the record in, whatever it was; none where it had none."},
            "bindings": _message_binding("The key of the record in, byte for byte."),
            "examples": [dead_letter_example()],
        }
        self._add_channel(DEAD_LETTERS, {"DeadLetter": message}, Direction.OUT, summary)

    def _add_channel(self, topic: str, messages: Mapping[str, Any], direction: Direction, summary: str) -> None:
        channel = identifier(topic)
        self.messages |= messages
        self.channels[channel] = {
            "address": self._prefix + topic,
            "description": summary,
            "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
            "bindings": {"kafka": _channel_binding(self._prefix + topic, self._specs[topic])},
        }
        self.operations[f"{direction.value}{channel}"] = {
            "action": direction.value,
            "channel": {"$ref": f"#/channels/{channel}"},
            "summary": summary,
            "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in messages],
        }

    def _keep(self, name: str, schema: Schema) -> Schema:
        """A reference to the schema, which is kept with all that it defines. Raises ValueError when two schemas that
        differ have one name."""
        schema = dict(schema)
        definitions = schema.pop("$defs", {})
        for each, definition in {**definitions, name: schema}.items():
            kept = _for_asyncapi(definition)
            if self.schemas.setdefault(each, kept) != kept:
                raise ValueError(f"two schemas are called {each}")
        return {"$ref": f"#/components/schemas/{name}"}


def identifier(name: str) -> str:
    """`HoldingsExportRow` of `holdings.export.row`."""
    return "".join(part.capitalize() for part in name.replace("-", ".").split("."))


def _for_asyncapi(schema: Any) -> Any:
    """References lead to `components`. A discriminator is a name in AsyncAPI; without it the constants still decide."""
    match schema:
        case dict():
            return {
                name: inner.replace("#/$defs/", "#/components/schemas/") if name == "$ref" else _for_asyncapi(inner)
                for name, inner in schema.items()
                if not (name == "discriminator" and isinstance(inner, dict) and "propertyName" in inner)
            }
        case list():
            return [_for_asyncapi(inner) for inner in schema]
        case _:
            return schema


def _structured(example: Example) -> dict[str, Any]:
    return {
        "name": example.name,
        "summary": example.summary,
        "headers": {"content-type": f"{_STRUCTURED}; charset=UTF-8"},
        "payload": example.event,
    }


def _content_type_header(media_type: str) -> Schema:
    return {
        "type": "object",
        "properties": {
            "content-type": {"type": "string", "description": f"`{media_type}`, with or without a charset."}
        },
    }


def _binary_headers(event_type: EventType) -> Schema:
    text = {"type": "string", "minLength": 1}
    attributes: Schema = {
        "ce_specversion": {"const": "1.0"},
        "ce_id": text,
        "ce_source": text,
        "ce_type": {"const": event_type.name},
        "ce_time": {"type": "string", "format": "date-time"},
        "ce_tenant": {"type": "string", "description": "FOLIO tenant."},
        "ce_traceparent": {"type": "string", "description": "W3C Trace Context."},
    }
    content_type = {"type": "string", "description": f"`{_JSON}`, with or without a charset."}
    return {
        "type": "object",
        "properties": {**attributes, "content-type": content_type},
        "required": ["ce_specversion", "ce_id", "ce_source", "ce_type"],
    }


def _message_binding(key: str) -> dict[str, Any]:
    return {"kafka": {"key": {"type": "string", "description": key}, "bindingVersion": _BINDING_VERSION}}


def _channel_binding(topic: str, spec: TopicSpec) -> dict[str, Any]:
    configuration: dict[str, Any] = {"cleanup.policy": [spec.cleanup_policy], "retention.ms": spec.retention_ms}
    if spec.max_message_bytes is not None:
        configuration["max.message.bytes"] = spec.max_message_bytes
    return {
        "topic": topic,
        "partitions": spec.partitions,
        "topicConfiguration": configuration,
        "bindingVersion": _BINDING_VERSION,
    }
