"""Every row of the routes has its model, its translation and its examples, and nothing of the three is without a row.

`gaps` is the check; it is tried on tables and directories that lack something, so that it is known to find it.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from pydantic import BaseModel

from service.domain import events
from service.domain.codes import Code
from service.domain.events.schema import schema_of
from service.domain.events.shapes import Closed
from service.domain.operations import Asked, DeleteHoldingsSource, Plan
from service.domain.outcomes import Rejection
from service.routes import ROUTES, Route
from service.translation.translated import Translated
from tests.builders.events import interpreted, record

EXAMPLES = Path(__file__).parents[1] / "examples"
AnyRoute: TypeAlias = Route[Any]

VALID = sorted(EXAMPLES.glob("*/*.json"))
INVALID = sorted(EXAMPLES.glob("*/invalid/*.json"))


def gaps(routes: Sequence[AnyRoute], examples: Path) -> list[str]:
    """What is missing, in words; empty when the table, the models, the translations and the examples are in step."""
    types = {route.event_type for route in routes}
    found = [
        f"{folder.name}: examples without a row in the routes"
        for folder in sorted(examples.iterdir())
        if folder.is_dir() and folder.name not in types
    ]
    without_row = event_models() - {route.data_model for route in routes}
    found += sorted(f"{model.__name__}: an event model without a row" for model in without_row)
    for route in routes:
        found += _gaps_of(route, examples / route.event_type)
    return found


def event_models() -> set[type[BaseModel]]:
    """The models of whole events: the class that is called as its module is."""
    models = set()
    for module in pkgutil.iter_modules(events.__path__, f"{events.__name__}."):
        name = module.name.rpartition(".")[2].title().replace("_", "")
        model = getattr(importlib.import_module(module.name), name, None)
        if isinstance(model, type) and issubclass(model, BaseModel):
            models.add(model)
    return models


def _gaps_of(route: AnyRoute, folder: Path) -> Iterator[str]:
    valid = [read(path)["data"] for path in sorted(folder.glob("*.json"))]
    if len(valid) < 2:
        yield f"{route.event_type}: fewer than two examples"
    if not list(folder.glob("invalid/*.json")):
        yield f"{route.event_type}: no example of an invalid event"
    shown = {name for data in valid for name in operations_in(route.data_model.model_validate(data))}
    yield from (
        f"{route.event_type}: no example of {name}" for name in sorted(operations_of(route)) if name not in shown
    )


def operations_of(route: AnyRoute) -> set[str]:
    """Names of the models that are told apart by `action`, as the schema of the route has them."""
    definitions = schema_of(route.adapter).get("$defs", {})
    return {name for name, definition in definitions.items() if "const" in definition["properties"].get("action", {})}


def operations_in(value: object) -> Iterator[str]:
    """Names of the models told apart by `action` that a valid event is made of."""
    if isinstance(value, list):
        for entry in value:
            yield from operations_in(entry)
    if isinstance(value, BaseModel):
        if "action" in type(value).model_fields:
            yield type(value).__name__
        for _, member in value:
            yield from operations_in(member)


def read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def test_table_models_translations_and_examples_are_in_step() -> None:
    assert gaps(ROUTES, EXAMPLES) == []


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.event_type)
def test_model_and_translation_of_a_row_are_where_its_name_says(route: AnyRoute) -> None:
    package, _, module = route.data_model.__module__.rpartition(".")
    assert package == "service.domain.events"
    assert route.event_type.endswith(module.replace("_", "."))
    assert route.translate.__module__ == f"service.translation.{module}"


@pytest.mark.parametrize("path", VALID, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_an_example_becomes_a_plan(path: Path) -> None:
    plan = interpreted(record(path.read_bytes()))
    assert isinstance(plan, Plan), plan
    assert plan.event.type == path.parent.name


@pytest.mark.parametrize("path", INVALID, ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_an_invalid_example_has_exactly_the_faults_that_it_says(path: Path) -> None:
    example = read(path)
    rejection = interpreted(record(json.dumps(example["event"]).encode()))
    assert isinstance(rejection, Rejection)
    assert rejection.code is Code.INVALID_DATA
    assert rejection.event.type == path.parts[-3]
    assert [fault.path for fault in rejection.faults] == example["faults"]


def test_no_two_examples_are_one_event() -> None:
    every = [read(path) for path in VALID] + [read(path)["event"] for path in INVALID]
    assert len({(event["source"], event["id"]) for event in every}) == len(every)


# The check itself


class Withdrawn(Closed):
    """An invented event."""

    name: str


INVENTED: AnyRoute = Route(
    "source.withdrawn",
    "withdrawals",
    Withdrawn,
    lambda event, tenant: Translated((DeleteHoldingsSource(tenant, event.name),), frozenset()),
    lambda _: (Asked("holdings-sources", "delete", None),),
)


def test_a_row_without_examples_is_found() -> None:
    assert gaps([*ROUTES, INVENTED], EXAMPLES) == [
        "source.withdrawn: fewer than two examples",
        "source.withdrawn: no example of an invalid event",
    ]


def test_examples_without_a_row_are_found(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES, tmp_path, dirs_exist_ok=True)
    (tmp_path / "source.withdrawn").mkdir()
    assert gaps(ROUTES, tmp_path) == ["source.withdrawn: examples without a row in the routes"]


def test_a_model_without_a_row_is_found() -> None:
    [first, *_] = ROUTES
    assert "TransferRequested: an event model without a row" in gaps([first], EXAMPLES)


def test_an_action_without_an_example_is_found(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES, tmp_path, dirs_exist_ok=True)
    (tmp_path / "holdings.changed" / "eholdings-deselect.json").unlink()
    assert gaps(ROUTES, tmp_path) == ["holdings.changed: no example of DeselectOperation"]


def test_a_row_that_has_everything_leaves_no_gap(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES, tmp_path, dirs_exist_ok=True)
    folder = tmp_path / INVENTED.event_type
    (folder / "invalid").mkdir(parents=True)
    for number in (1, 2):
        (folder / f"{number}.json").write_text('{"data": {"name": "Union"}}')
    (folder / "invalid" / "no-name.json").write_text('{"event": {"data": {}}, "faults": ["data.name"]}')
    assert gaps([*ROUTES, INVENTED], tmp_path) == []


def test_a_row_without_model_or_translation_cannot_be_written() -> None:
    with pytest.raises(TypeError, match="missing"):
        Route("source.withdrawn", "withdrawals")  # type: ignore[call-arg]
