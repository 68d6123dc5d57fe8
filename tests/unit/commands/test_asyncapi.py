"""`asyncapi` and `schema`: documents on standard output."""

from __future__ import annotations

import orjson
import pytest
import yaml
from jsonschema import Draft202012Validator
from typer.testing import CliRunner, Result

from service.__main__ import app
from service.asyncapi.catalogue import event_types
from service.asyncapi.document import document
from service.asyncapi.examples import examples_of


def run(*words: str, **settings: str) -> Result:
    return CliRunner(env={"COLUMNS": "40", **settings}).invoke(app, words)


def test_both_forms_are_the_same_document_however_narrow_the_terminal() -> None:
    as_yaml = run("asyncapi", RELAY_TOPICS__PREFIX="test.")
    as_json = run("asyncapi", "--format", "json", RELAY_TOPICS__PREFIX="test.")

    assert (as_yaml.exit_code, as_json.exit_code) == (0, 0)
    assert yaml.safe_load(as_yaml.stdout) == orjson.loads(as_json.stdout) == document("test.")
    assert "&id" not in as_yaml.stdout, "no anchors"


@pytest.mark.parametrize("name", [found.name for found in event_types()])
def test_the_schema_of_every_type_stands_by_itself_and_takes_its_examples(name: str) -> None:
    data, event = run("schema", name), run("schema", name, "--event")

    assert (data.exit_code, event.exit_code) == (0, 0)
    of_data, of_event = (Draft202012Validator(orjson.loads(printed.stdout)) for printed in (data, event))
    for schema in (of_data, of_event):
        schema.check_schema(schema.schema)
    for example in examples_of(name):
        of_data.validate(example.event["data"])
        of_event.validate(example.event)
        assert not of_event.is_valid({**example.event, "data": None})


def test_a_type_that_is_not_known_is_told_with_those_that_are() -> None:
    told = run("schema", "holdings.unknown", COLUMNS="200")

    assert told.exit_code == 2
    assert "holdings.unknown is not known; known are holdings.changed, holdings.transfer.requested" in told.stderr
