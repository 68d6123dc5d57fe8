"""`check` as a whole: what it prints, and what it ends with."""

from __future__ import annotations

from collections.abc import Callable

import orjson
import pytest
from typer.testing import CliRunner, Result

from service.__main__ import app
from service.commands import check as command
from service.commands import console
from service.commands.check import exit_code
from service.commands.console import Exit
from service.domain.checks import Check, fault, ok, skipped, warning
from service.settings import Settings

BROKER = ok("kafka", "broker b:1", "answers")
BROKER_AWAY = fault("kafka", "broker b:1", "no connection", "RELAY_KAFKA__BOOTSTRAP_SERVERS")
SYSTEM_AWAY = fault("scsb", "", "down [bold]now[/bold]", "RELAY_SCSB__URL")

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command; the checks are those given."""

    def run(*checks: Check, words: tuple[str, ...] = (), width: int = 200) -> Result:
        async def look(settings: Settings, seconds: float) -> list[Check]:
            return list(checks)

        monkeypatch.setattr(command, "look", look)
        monkeypatch.setattr(console.out, "_width", width)  # COLUMNS is read once, when the console is made
        return CliRunner().invoke(app, ["check", *words])

    return run


@pytest.mark.parametrize(
    ("checks", "code"),
    [
        ([BROKER], Exit.DONE),
        ([BROKER, warning("kafka", "topic t", "differs", "change it"), skipped("scsb", "", "unset")], Exit.DONE),
        ([BROKER, SYSTEM_AWAY], Exit.FAILED),
        ([BROKER, fault("kafka", "topic t", "missing", "create it")], Exit.FAILED),
        ([BROKER_AWAY], Exit.KAFKA),
        ([BROKER_AWAY, SYSTEM_AWAY], Exit.KAFKA),
    ],
)
def test_the_exit_code_says_what_is_at_fault(checks: list[Check], code: Exit, run: Run) -> None:
    assert exit_code(checks) is code
    assert run(*checks).exit_code == code


def test_each_check_is_a_line_with_its_remedy_as_it_is(run: Run) -> None:
    printed = run(BROKER, SYSTEM_AWAY).stdout

    [line] = [line for line in printed.splitlines() if "scsb" in line]
    assert line.split()[0] == "fault"
    assert "down [bold]now[/bold]" in line
    assert "RELAY_SCSB__URL" in line


def test_the_name_of_a_setting_is_whole_however_narrow_the_table(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = run(BROKER_AWAY, width=60).stdout

    assert "RELAY_KAFKA__BOOTSTRAP_SERVERS" in "".join(
        line[line.rfind("  ") :].strip() for line in printed.splitlines()
    )


def test_the_json_form_has_the_same_and_whether_all_is_well(run: Run) -> None:
    report = orjson.loads(run(BROKER, SYSTEM_AWAY, words=("--format", "json")).stdout)

    assert report["ok"] is False
    assert report["checks"][0]["message"] == "every setting holds"
    assert report["checks"][2] == {
        "area": "scsb",
        "subject": "",
        "standing": "fault",
        "message": "down [bold]now[/bold]",
        "remedy": "RELAY_SCSB__URL",
    }


@pytest.mark.parametrize("form", ["table", "json"])
def test_every_wrong_setting_is_told_at_once_and_nothing_else_is_looked_at(
    form: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELAY_CONCURRENCY", "none")
    monkeypatch.setenv("RELAY_RETRY__MAX_ATTEMPTS", "0")

    ended = run(SYSTEM_AWAY, words=("--format", form))

    assert ended.exit_code == Exit.SETTINGS
    assert "RELAY_CONCURRENCY" in ended.stdout
    assert "RELAY_RETRY__MAX_ATTEMPTS" in ended.stdout
    assert "scsb" not in ended.stdout
    if form == "json":
        assert orjson.loads(ended.stdout)["ok"] is False
