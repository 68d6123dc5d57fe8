"""The AsyncAPI document: every topic, both modes of CloudEvents, and examples that are what they say.

Whether it is AsyncAPI is for the official parser to say: `make asyncapi`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft7Validator, FormatChecker

from service.asyncapi.catalogue import Direction, event_types
from service.asyncapi.document import document, identifier
from service.asyncapi.examples import examples_of
from service.domain.operations import Plan
from service.kafka.topics import DEAD_LETTERS, TOPICS
from service.routes import ROUTES
from tests.builders.events import interpreted, record

DOCUMENT = document("test.")
MESSAGES: dict[str, Any] = DOCUMENT["components"]["messages"]
EXAMPLES = [(name, example) for name, message in MESSAGES.items() for example in message["examples"]]
TEST_EXAMPLES = Path(__file__).parents[2] / "examples"


def validate(part: dict[str, Any], value: object) -> None:
    """Against a schema of the document, as AsyncAPI reads it: draft 7."""
    schema = {**part, "components": DOCUMENT["components"]}
    Draft7Validator(schema, format_checker=FormatChecker()).validate(value)


def messages_of(topic: str) -> list[str]:
    [channel] = [channel for channel in DOCUMENT["channels"].values() if channel["address"] == f"test.{topic}"]
    return list(channel["messages"])


def test_every_topic_is_a_channel_under_its_prefix_with_its_partitions() -> None:
    bindings = {channel["address"]: channel["bindings"]["kafka"] for channel in DOCUMENT["channels"].values()}

    assert {name: binding["partitions"] for name, binding in bindings.items()} == {
        f"test.{spec.name}": spec.partitions for spec in TOPICS
    }
    assert all(name == binding["topic"] for name, binding in bindings.items())


def test_events_in_come_in_both_modes_and_events_out_in_one() -> None:
    for found in event_types():
        name = identifier(found.name)
        modes = ["Structured", "Binary"] if found.direction is Direction.IN else ["Structured"]
        assert messages_of(found.topic) == [name + mode for mode in modes]
    assert messages_of(DEAD_LETTERS) == ["DeadLetter"]


def test_the_relay_receives_what_the_routes_take_and_sends_the_rest() -> None:
    actions = {
        DOCUMENT["channels"][operation["channel"]["$ref"].rpartition("/")[2]]["address"]: operation["action"]
        for operation in DOCUMENT["operations"].values()
    }

    taken = {f"test.{route.topic}" for route in ROUTES}
    assert {address for address, action in actions.items() if action == "receive"} == taken
    assert len(actions) == len(TOPICS)


def test_every_message_says_what_its_key_is() -> None:
    assert all(message["bindings"]["kafka"]["key"]["description"] for message in MESSAGES.values())


def test_every_message_has_an_example() -> None:
    assert [name for name, message in MESSAGES.items() if not message["examples"]] == []


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[f"{name}-{e['name']}" for name, e in EXAMPLES])
def test_an_example_fits_the_schemas_of_its_message(name: str, example: dict[str, Any]) -> None:
    validate(MESSAGES[name]["headers"], example["headers"])
    validate(MESSAGES[name]["payload"], example["payload"])


@pytest.mark.parametrize(
    ("name", "example"),
    [(name, example) for name, example in EXAMPLES if name.endswith(("RequestedBinary", "ChangedBinary"))],
    ids=lambda value: value if isinstance(value, str) else value["name"],
)
def test_an_example_in_binary_mode_becomes_a_plan(name: str, example: dict[str, Any]) -> None:
    headers = tuple((header, value.encode()) for header, value in example["headers"].items())

    assert isinstance(interpreted(record(orjson.dumps(example["payload"]), headers=headers)), Plan)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.event_type)
def test_the_examples_of_an_event_in_are_examples_of_the_tests(route: Any) -> None:
    shown = examples_of(route.event_type)

    assert shown
    for example in shown:
        assert example.event == orjson.loads((TEST_EXAMPLES / route.event_type / f"{example.name}.json").read_bytes())


@pytest.mark.parametrize(
    ("message", "change"),
    [
        ("HoldingsChangedStructured", {"data": {"eholdings": {"action": "renew", "resourceId": "1-2-3"}}}),
        ("HoldingsChangedStructured", {"type": "holdings.transfer.requested"}),
        ("HoldingsChangedStructured", {"specversion": "0.3"}),
        ("HoldingsResultStructured", {"data": {}}),
        ("HoldingsExportRowStructured", {"data": {"row": 0}}),
    ],
)
def test_the_schemas_refuse_what_is_wrong(message: str, change: dict[str, Any]) -> None:
    [example, *_] = MESSAGES[message]["examples"]
    schema = {**MESSAGES[message]["payload"], "components": DOCUMENT["components"]}

    assert not Draft7Validator(schema).is_valid(example["payload"] | change)


def test_two_schemas_that_differ_never_have_one_name() -> None:
    """`document` raises otherwise; every `$defs` of every model has come through."""
    defined = {name for found in event_types() for name in found.data.get("$defs", {})}

    assert defined <= DOCUMENT["components"]["schemas"].keys()


def test_a_broker_is_named_only_when_it_is_given() -> None:
    assert "servers" not in DOCUMENT
    assert document("", "broker:9092")["servers"] == {"kafka": {"host": "broker:9092", "protocol": "kafka"}}
