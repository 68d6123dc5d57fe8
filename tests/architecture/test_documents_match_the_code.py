"""Documents that list what the code declares say the same as the code."""

import json
import re
from pathlib import Path

import pytest

from scripts import logs_doc, metrics_doc, settings_doc
from scripts.chart_docs import pages as pages_of_the_chart
from service.domain.advice import ADVICE
from service.domain.codes import Code
from service.kafka.topics import TOPICS
from service.sandbox.gateway import PERMISSIONS
from service.systems.export_columns import COLUMNS, Kind
from service.telemetry.status import render, to_json
from tests.builders.status import busy

DOCS = Path(__file__).parents[2] / "docs"


def test_the_settings_page_is_what_the_model_says() -> None:
    assert (DOCS / "settings.md").read_text("utf-8") == settings_doc.page(), "run: make docs"


def test_the_metrics_page_is_what_is_declared() -> None:
    assert (DOCS / "metrics.md").read_text("utf-8") == metrics_doc.page(), "run: make docs"


def test_the_page_of_logs_is_what_is_declared() -> None:
    assert (DOCS / "logs.md").read_text("utf-8") == logs_doc.page(), "run: make docs"


@pytest.mark.parametrize(
    ("path", "text"), [pytest.param(*made, id=made[0].name) for made in pages_of_the_chart().items()]
)
def test_what_the_chart_takes_from_the_code_is_what_the_code_says(path: Path, text: str) -> None:
    assert path.read_text("utf-8") == text, "run: make docs"


def test_every_code_is_explained_and_no_other() -> None:
    explained = re.findall(r"^\| `([a-z-]+)` \|", (DOCS / "codes.md").read_text("utf-8"), re.MULTILINE)

    assert explained == [code.value for code in Code]


def test_the_topics_are_those_of_the_page() -> None:
    rows = [line for line in (DOCS / "topics.md").read_text("utf-8").splitlines() if line.startswith("| `holdings.")]

    assert rows == [
        f"| `{spec.name}` | {spec.partitions} | {spec.cleanup_policy} | {spec.retention_ms} "
        f"|{f' {spec.max_message_bytes}' if spec.max_message_bytes else ''} |"
        for spec in TOPICS
    ]


def test_the_page_of_the_status_names_every_field_of_it() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", (DOCS / "status-page.md").read_text("utf-8"), re.MULTILINE)
    told = json.loads(json.dumps(to_json(busy())))

    assert [field for field, _ in rows] == list(told)
    for field, text in rows:
        value = told[field][0] if isinstance(told[field], list) and told[field] else told[field]
        if isinstance(value, dict):
            assert re.findall(r"`(\w+)`", text) == list(value), field


def test_the_page_of_the_status_names_every_section_of_it() -> None:
    named = re.findall(r"^\| ([A-Z][\w ]+) \| ", (DOCS / "status-page.md").read_text("utf-8"), re.MULTILINE)

    assert named == re.findall("<h2[^>]*>([^<]+)</h2>", render(busy()))


def test_the_permissions_of_the_page_are_those_that_the_simulated_gateway_wants() -> None:
    named = re.findall(
        r"`((?:kb-ebsco|inventory-update|inventory-storage)\.[\w.-]+)`", (DOCS / "check.md").read_text("utf-8")
    )
    not_called = {
        "inventory-storage.holdings-sources.item.get",
        "inventory-update.by-matchkey.item.get",
        "inventory-update.batch-by-matchkey.collection.put",
    }

    assert sorted(named) == sorted({permission for _, _, permission in PERMISSIONS} - not_called)


def test_the_advice_of_the_command_line_is_that_of_the_page() -> None:
    rows = [row for row in (DOCS / "codes.md").read_text("utf-8").splitlines() if row.startswith("| `")]

    assert rows == [f"| `{code}` | {advice.meaning} | {advice.remedy} |" for code, advice in ADVICE.items()]


def test_every_test_that_the_guarantees_name_exists() -> None:
    tests = Path(__file__).parents[1]
    there = {path.name for path in tests.rglob("test_*.py")}
    there |= {
        name for path in tests.rglob("test_*.py") for name in re.findall(r"def (test_\w+)", path.read_text("utf-8"))
    }

    named = re.findall(r"`(?:[\w/]+/)?(test_\w+(?:\.py)?)`", (DOCS / "guarantees.md").read_text("utf-8"))

    assert named
    assert not [name for name in named if name not in there]


@pytest.mark.parametrize("export_type", COLUMNS)
def test_the_columns_of_an_export_are_those_of_the_page(export_type: str) -> None:
    page = (DOCS / "exports.md").read_text("utf-8")
    [_, _, *rows] = page.partition(f"### {export_type}\n")[2].partition("\n\n")[0].splitlines()

    assert rows == [
        f"| {', '.join(f'`{name}`' for name in column.names)} | `{column.field}`"
        f"{f', `{column.present_field}`' if column.kind is Kind.END else ''} | {column.kind.value} |"
        for column in COLUMNS[export_type]
    ]
