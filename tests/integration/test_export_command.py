"""`holdings-relay export` as users type it: a file with every row, or none, and words that help."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.commands.console import Exit
from service.sandbox.faults import Fault
from service.sandbox.holdingsiq import CsvFile, Plan, customer, holdingsiq_state
from service.sandbox.server import Sandbox


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as running:
        plan = Plan(after_polls=1, file=CsvFile(rows=300, coverages=2, broken={5: "many"}))
        running.load({"holdingsiq": holdingsiq_state(apidemo=customer(plan=plan))})
        yield running


async def started(sandbox: Sandbox | None, *words: str, **settings: str) -> asyncio.subprocess.Process:
    """The command under way."""
    there = {"RELAY_HOLDINGSIQ__URL": sandbox.holdingsiq_url} if sandbox is not None else {}
    usual = {"RELAY_HOLDINGSIQ__API_KEY": "sandbox-holdingsiq-key", "RELAY_EXPORTS__POLL_INITIAL_SECONDS": "0.05"}
    retries = {"RELAY_RETRY__INITIAL_SECONDS": "0.05", "RELAY_RETRY__MAX_ATTEMPTS": "3"}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service", "export", *words),
        env={**os.environ, **usual, **retries, **there, **settings, "COLUMNS": "200"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def export(sandbox: Sandbox | None, *words: str, **settings: str) -> tuple[int | None, str, str]:
    """Exit code, standard output and standard error."""
    process = await started(sandbox, *words, **settings)
    out, errors = await process.communicate()
    return process.returncode, out.decode(), errors.decode()


async def test_every_row_is_in_the_file_and_the_counts_are_told(sandbox: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "holdings.jsonl"

    code, out, errors = await export(sandbox, "apidemo", "--type", "KBART2", "--out", str(path))

    [export_id] = sandbox.ledger.entries()[-1].entities
    assert (code, out.splitlines()[0]) == (Exit.DONE, f"299 rows in {path}")
    assert "stated totalResourceCount: 150" in out
    assert errors.splitlines() == [
        f"export {export_id}",
        "1 row could not be read",
        "  line 7: 34 cells in place of 32",
    ]
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [row["row"] for row in rows] == list(range(1, 300))
    assert {row["exportId"] for row in rows} == {export_id}


async def test_trouble_is_overcome_and_every_row_is_there_once(sandbox: Sandbox, tmp_path: Path) -> None:
    for fault in (
        Fault("lost", system="holdingsiq", method="POST", drop="after", times=1),
        Fault("cut", path_contains="/s3/", cut_after_bytes=40_000, times=1),
    ):
        sandbox.faults.add(fault)
    path = tmp_path / "holdings.csv"

    code, _, errors = await export(
        sandbox, "apidemo", "--type", "KBART2", "--out", str(path), RELAY_EXPORTS__ROWS_PER_COMMIT="20"
    )

    assert code == Exit.DONE, errors
    assert errors.count("trying again in") == 1, "the rest of the file is asked for at once"
    assert len(path.read_text("utf-8").splitlines()) == 300
    assert sum(entry.method == "POST" for entry in sandbox.ledger.entries()) == 1


async def test_an_export_that_exists_is_fetched_by_its_id(sandbox: Sandbox, tmp_path: Path) -> None:
    await export(sandbox, "apidemo", "--type", "COST", "--out", str(tmp_path / "first.csv"))
    [export_id] = sandbox.ledger.entries()[-1].entities

    code, _, _ = await export(sandbox, "apidemo", "--export-id", export_id, "--out", str(tmp_path / "second.csv"))

    assert code == Exit.DONE
    assert (tmp_path / "second.csv").read_text() == (tmp_path / "first.csv").read_text()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("apidemo",), "needs type for a new export, or --export-id"),
        (("apidemo", "--type", "COST", "--export-id", "x"), "--export-id: stands in place of type"),
        (("apidemo", "--type", "cost"), "--type: must be 'KBART2'"),
        (("..", "--type", "COST"), "CUSTID: must not be blank, nor consist of dots"),
    ],
)
async def test_wrong_usage_is_told_before_anything_is_called(
    sandbox: Sandbox, tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    code, _, errors = await export(sandbox, *words, "--out", str(tmp_path / "x.csv"))

    assert code == 2
    assert told in errors
    assert not sandbox.ledger.entries()


async def test_without_an_address_the_settings_are_at_fault(tmp_path: Path) -> None:
    code, _, errors = await export(None, "apidemo", "--type", "COST", "--out", str(tmp_path / "x.csv"))

    assert code == Exit.SETTINGS
    assert "RELAY_HOLDINGSIQ__URL is not set" in errors


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Fault("key", status=403, body={"message": "Forbidden"}), "HoldingsIQ takes no calls (credentials): Forbidden"),
        (Fault("quota", status=429, body={"message": "Limit Exceeded"}), "takes no calls (quota): Limit Exceeded"),
        (Fault("refused", status=400, body={"errors": [{"message": "Invalid type"}]}), "refused: Invalid type"),
        (Fault("down", status=503, body="down"), "given up after 3 attempts: down"),
        (Fault("gone", path_contains="/s3/", status=404), "refused: the download was answered with HTTP 404"),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else "",
)
async def test_what_cannot_be_done_is_told_and_leaves_the_file_as_it_was(
    sandbox: Sandbox, tmp_path: Path, fault: Fault, told: str
) -> None:
    sandbox.faults.add(fault)
    path = tmp_path / "x.csv"
    path.write_text("before")

    code, out, errors = await export(sandbox, "apidemo", "--type", "COST", "--out", str(path))

    assert (code, out) == (Exit.FAILED, "")
    assert told in errors
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_broken_off_it_leaves_nothing_behind_and_says_how_to_go_on(
    sandbox: Sandbox, tmp_path: Path, number: signal.Signals
) -> None:
    sandbox.faults.add(Fault("slow", path_contains="/s3/", bytes_per_second=5_000))
    path = tmp_path / "x.csv"
    path.write_text("before")
    process = await started(sandbox, "apidemo", "--type", "KBART2", "--out", str(path))
    async with asyncio.timeout(30):
        while not any("/s3/" in entry.path for entry in sandbox.ledger.entries()):  # noqa: ASYNC110 - the ledger has no event
            await asyncio.sleep(0.02)
    assert len(list(tmp_path.iterdir())) == 2, "it was broken off too early to prove anything"

    process.send_signal(number)
    out, errors = await process.communicate()

    assert (process.returncode, out) == (128 + number, b"")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]
    [export_id] = sandbox.ledger.entries()[-1].entities
    assert errors.decode().splitlines() == [
        f"export {export_id}",
        f"broken off by {number.name}; nothing was written. To go on: --export-id {export_id}",
    ]


async def test_a_folder_that_is_not_there_is_told(sandbox: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "none" / "x.csv"

    code, _, errors = await export(sandbox, "apidemo", "--type", "COST", "--out", str(path))

    assert (code, errors) == (Exit.FAILED, f"{path}: No such file or directory\n")
