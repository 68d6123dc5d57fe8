"""Every example of `docs/sandbox.md` works, and the page leaves out no field and no option."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from pathlib import Path

import orjson
import pytest

from service.commands.sandbox import sandbox
from service.sandbox.faults import Fault
from service.sandbox.holdingsiq import CsvFile, Plan
from service.sandbox.holdingsiq.columns import COLUMNS
from service.sandbox.server import Sandbox

PAGE = (Path(__file__).parents[3] / "docs" / "sandbox.md").read_text("utf-8")
EXAMPLES = [orjson.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
SENT = [orjson.loads(body) for body in re.findall(r"-d '(\{.*\})'", PAGE)]
SYSTEMS = ("login", "eholdings", "inventory", "holdings-sources", "scsb", "holdingsiq")
SEEDS = [example for example in EXAMPLES if isinstance(example, dict) and set(example) <= set(SYSTEMS)]
FAULTS = [example for example in (*EXAMPLES, *SENT) if example not in SEEDS]


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


@pytest.mark.parametrize("example", FAULTS, ids=str)
def test_every_fault_can_be_armed(example: object) -> None:
    listed = example if isinstance(example, list) else [example]
    assert all(Fault.from_json(fault) for fault in listed)


def test_every_seed_can_be_loaded_and_there_is_one_for_each_system() -> None:
    loaded = Sandbox()
    for seed in SEEDS:
        loaded.load(seed)
    assert {name for seed in SEEDS for name in seed} == set(SYSTEMS) == set(loaded.systems)


@pytest.mark.parametrize("field", [camel(field.name) for field in fields(Fault)])
def test_every_field_of_a_fault_is_described(field: str) -> None:
    assert f"`{field}`" in PAGE


@pytest.mark.parametrize("field", sorted({*Plan().to_json(), *CsvFile().to_json()}))
def test_every_field_of_an_export_that_is_planned_is_described(field: str) -> None:
    assert f"`{field}`" in PAGE


@pytest.mark.parametrize("name", [name for kind in ("COST", "HOLDINGSEVENT") for name, _ in COLUMNS[kind]])
def test_every_column_of_the_sandboxs_own_choice_is_told(name: str) -> None:
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("option", inspect.signature(sandbox).parameters)
def test_every_option_is_described(option: str) -> None:
    assert f"--{option.replace('_', '-')}" in PAGE
