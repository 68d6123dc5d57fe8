"""What was typed wrongly is said by the name of the option, before anything is asked of Kafka."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

from service.__main__ import app


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("list --since yesterday", "--since: 'yesterday' is no moment: give 2026-01-31"),
        ("list --until 2y", "--until: '2y' is no moment"),
        ("list --since 1h --until 2h", "--since 1h is not before --until 2h"),
        ("list --code broken", "--code: 'broken' is none of unreadable, unknown-type"),
        (
            "list --system okapi",
            "--system: 'okapi' is none of eholdings, inventory, holdings-sources, scsb, holdingsiq",
        ),
        ("list --topic holdings.results", "--topic: 'holdings.results' is none of holdings.changes"),
        ("list --tenant=", "--tenant: must not be empty"),
        ("list --format xml", "'xml' is not one of 'table', 'json'"),
        ("replay", "say which: positions, filters, or --all"),
        ("replay 1:2 --all", "give positions, or filters, or --all, not several of them"),
        ("replay 1:2 --code refused", "give positions, or filters, or --all, not several of them"),
        ("replay 1-2", "'1-2' is no position; give PARTITION:OFFSET"),
        ("replay --all --rate fast", "--rate: 'fast' is no rate above 0; give 10/s, 30/m, or 100/h"),
        ("replay --all --rate 0/s", "--rate: '0/s' is no rate above 0"),
    ],
)
def test_a_mistake_is_named(words: str, told: str) -> None:
    ended = CliRunner().invoke(app, ["dead-letters", *words.split()], env={"COLUMNS": "300"})

    assert ended.exit_code == 2
    assert told in re.sub(r"[\s│]+", " ", ended.output)
