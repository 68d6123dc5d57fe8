"""What the documents and the chart name is there: commands, settings, metrics, lines of the log, codes, targets.

Lists that must be complete are compared with the code in `test_documents_match_the_code.py`. The changelog tells of
what once was, so metrics that it names may be gone; the dotted words of `docs/traces.md` are those of spans.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import typer
from typer.core import TyperGroup

from scripts import settings_doc
from service.__main__ import app
from service.domain.codes import Code
from service.telemetry import log_events
from service.telemetry.log_events import LogEvent
from service.telemetry.metrics import Metrics
from tests.architecture.documents import ROOT, Document, documents

PAGES = documents()
README = Document(ROOT / "README.md")
CHART = [Document(path) for path in sorted((ROOT / "helm").rglob("*")) if path.is_file()]

SETTINGS = {*re.findall(r"^\| `(RELAY_\S+)` \|", settings_doc.page(), re.MULTILINE), "RELAY_CONFIG"}
METRICS = {
    metric.name + suffix
    for metric in Metrics().declared
    for suffix in (("", "_bucket", "_sum", "_count") if metric.kind == "histogram" else ("",))
}
LOG_EVENTS = {event.name for event in vars(log_events).values() if isinstance(event, LogEvent)}
VALUES = set(
    re.findall(r"^\| (?:\*\*)?`([\w.]+)`", (ROOT / "helm/holdings-relay/README.md").read_text("utf-8"), re.MULTILINE)
)
OTHER_DOTTED = {"cleanup.policy", "retention.ms", "kafka.certificates"}
"""Settings of topics, and the logger of a line that `docs/security.md` tells of."""


def commands() -> dict[str, set[str]]:
    """The options of every command by its words, such as `dead-letters list`; groups are none."""

    def below(group: TyperGroup, words: str) -> Iterator[tuple[str, set[str]]]:
        for name, command in group.commands.items():
            if isinstance(command, TyperGroup):
                yield from below(command, f"{words}{name} ")
            else:
                yield words + name, {"--help", *(option for parameter in command.params for option in parameter.opts)}

    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup)
    return dict(below(root, ""))


COMMANDS = commands()
GROUPS = {words.partition(" ")[0] for words in COMMANDS if " " in words}


def command_of(call: str) -> str | None:
    """The command that a call begins with; None where it begins with none."""
    return max((words for words in COMMANDS if f"{call} ".startswith(f"{words} ")), key=len, default=None)


def faults_of(call: str) -> list[str]:
    """What in a call of `holdings-relay` the command line does not know."""
    name = command_of(call)
    if name is None:
        return [] if call in GROUPS else [f"holdings-relay {call}: no such command"]
    options = re.findall(r"(?<!\S)--[a-z-]+", call)
    return [f"holdings-relay {call}: no option {option}" for option in options if option not in COMMANDS[name]]


def calls_in(page: Document) -> list[str]:
    """What stands behind `holdings-relay`, comments left out."""
    found = (
        re.match(r"(?:.*\| *)?(?:\.venv/bin/)?holdings-relay ([a-z].*)", line.partition(" #")[0]) for line in page.code
    )
    return [call[1].strip() for call in found if call]


def settings_in(text: str) -> list[str]:
    """Names of settings; those that are cut short, as in `RELAY_RETRY__…`, end with the sign for it."""
    return re.findall(r"\bRELAY_(?:[A-Z0-9_]|(?<=__)<tenant>|(?<=TENANTS__)[a-z]+(?=__))*…?", text)


def is_setting(name: str) -> bool:
    """Whether it is a setting's name, that of its file, or the beginning of some."""
    plain = re.sub(r"(?<=TENANTS__)[a-z]+", "<tenant>", name)
    if plain.endswith(("…", "_")):
        return any(setting.startswith(plain.rstrip("…")) for setting in SETTINGS)
    return plain.removesuffix("_FILE") in SETTINGS


def metrics_in(text: str) -> list[str]:
    return re.findall(r"\brelay_[a-z_]*[a-z]\b", text)


def log_events_in(page: Document) -> list[str]:
    """Spans of code that look like names of lines, and are not known to be something else."""
    return [
        span
        for span in page.spans
        if re.fullmatch(r"[a-z]+\.[a-z_]+", span)
        and not span.startswith(("holdings.", "data."))
        and not span.endswith((".md", ".py"))
        and span not in OTHER_DOTTED | VALUES
    ]


def codes_in(page: Document) -> list[str]:
    """Codes that a command, a query or the first words of a point in a list choose."""
    points = re.findall(r"^- ((?:`[a-z-]+`, )*`[a-z-]+`):", page.prose, re.MULTILINE)
    return [
        *re.findall(r"--code ([a-z-]+)", page.text),
        *re.findall(r'\bcode="([a-z-]+)"', page.text),
        *(word for point in points for word in re.findall(r"[a-z-]+", point)),
    ]


def targets_in(page: Document) -> list[str]:
    found = (re.match(r"(?:[A-Z_]+=\S+ )*make ([a-z-]+)", line) for line in page.code)
    return [target[1] for target in found if target]


def test_the_readme_has_a_row_for_every_command_and_no_other() -> None:
    rows = re.findall(r"^\| `holdings-relay ([^`]+)` \|", README.text, re.MULTILINE)

    assert sorted(command_of(row) or row for row in rows) == sorted(COMMANDS)


def test_every_call_of_the_command_line_fits_it() -> None:
    assert [f"{page}: {fault}" for page in PAGES for call in calls_in(page) for fault in faults_of(call)] == []


def test_every_setting_that_the_documents_or_the_chart_name_exists() -> None:
    texts = [(page, page.text) for page in PAGES]
    texts += [(file, re.sub(r'hasPrefix "\w+"', "", file.text)) for file in CHART]

    assert [f"{page}: {name}" for page, text in texts for name in settings_in(text) if not is_setting(name)] == []


def test_every_metric_that_the_documents_or_the_chart_name_is_declared() -> None:
    texts = [page for page in (*PAGES, *CHART) if page.path.name != "CHANGELOG.md"]

    assert [f"{page}: {name}" for page in texts for name in metrics_in(page.text) if name not in METRICS] == []


def test_every_line_of_the_log_that_the_documents_name_is_declared() -> None:
    pages = [page for page in PAGES if page.path.parent.name == "docs" and page.path.name != "traces.md"]

    assert [f"{page}: {name}" for page in pages for name in log_events_in(page) if name not in LOG_EVENTS] == []


def test_every_code_that_the_documents_or_the_chart_choose_is_declared() -> None:
    assert [f"{page}: {code}" for page in (*PAGES, *CHART) for code in codes_in(page) if code not in set(Code)] == []


def test_every_target_of_make_that_the_documents_name_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))

    assert [f"{page}: make {name}" for page in PAGES for name in targets_in(page) if name not in targets] == []


def test_the_documents_name_something_of_each_kind() -> None:
    for named in (calls_in, log_events_in, codes_in, targets_in):
        assert any(named(page) for page in PAGES), named.__name__
    assert any(settings_in(file.text) for file in CHART)
    assert any(metrics_in(file.text) for file in CHART)


# The checks themselves


@pytest.mark.parametrize(
    ("call", "faults"),
    [
        ("run", []),
        ("dead-letters", []),
        ("dead-letters replay --since 2h --rate 10/s", []),
        ("dead-letter list", ["holdings-relay dead-letter list: no such command"]),
        ("inspect titles", ["holdings-relay inspect titles: no such command"]),
        ("topics --create", ["holdings-relay topics --create: no option --create"]),
    ],
)
def test_a_call_that_the_command_line_does_not_know_is_found(call: str, faults: list[str]) -> None:
    assert faults_of(call) == faults


@pytest.mark.parametrize(
    ("name", "exists"),
    [
        ("RELAY_DELIVERY", True),
        ("RELAY_SCSB__API_KEY_FILE", True),
        ("RELAY_FOLIO__TENANTS__<tenant>__TOKEN", True),
        ("RELAY_FOLIO__TENANTS__diku__PASSWORD", True),
        ("RELAY_EXPORTS__POLL_…", True),
        ("RELAY_", True),
        ("RELAY_DELIVERIES", False),
        ("RELAY_SCSB__KEY", False),
        ("RELAY_FOLIO__TENANTS__diku__KEY", False),
        ("RELAY_EXPORT__…", False),
    ],
)
def test_a_name_of_no_setting_is_found(name: str, exists: bool) -> None:
    assert settings_in(f"`{name}` is named") == [name]
    assert is_setting(name) is exists
