"""A child process that outlives neither its parent nor its use."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from service.sandbox.broker_process import GuardedProcess

FOREVER = ["sleep", "600"]
DEAF = ["/bin/sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 600; done"]

PARENT = """
import sys
from pathlib import Path
from service.sandbox.broker_process import GuardedProcess
process = GuardedProcess.start(["sleep", "600"], sys.stdout.buffer, temporary=Path(sys.argv[1]))
print("started", flush=True)
sys.stdin.read()
"""


def test_terminating_asks_first(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        process = GuardedProcess.start(FOREVER, log, temporary=None)
    assert process.exit_code is None

    process.terminate(grace_seconds=10)

    assert process.exit_code == -signal.SIGTERM


def test_terminating_ends_what_does_not_listen() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as pipe:
        assert pipe.stdin is not None
        assert pipe.stdout is not None
        process = GuardedProcess.start(DEAF, pipe.stdin, temporary=None)
        assert pipe.stdout.readline() == b"deaf\n"

        process.terminate(grace_seconds=0.1)

        assert process.exit_code == -signal.SIGKILL
        pipe.kill()


def test_killing_is_a_crash(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        process = GuardedProcess.start(FOREVER, log, temporary=None)

    process.kill()

    assert process.exit_code == -signal.SIGKILL


def test_an_end_in_good_order_leaves_the_temporary_folder_to_its_owner(tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with (tmp_path / "log").open("wb") as log:
        process = GuardedProcess.start(FOREVER, log, temporary=temporary)

    process.kill()

    assert temporary.exists()


def test_the_output_of_both_kinds_goes_to_the_log(tmp_path: Path) -> None:
    log_file = tmp_path / "log"
    with log_file.open("wb") as log:
        process = GuardedProcess.start(["/bin/sh", "-c", "echo out; echo err >&2; exec sleep 600"], log, temporary=None)
    with subprocess.Popen(["tail", "-f", "-n", "+1", log_file], stdout=subprocess.PIPE) as tail:
        assert tail.stdout is not None
        assert [tail.stdout.readline(), tail.stdout.readline()] == [b"out\n", b"err\n"]
        tail.kill()

    process.kill()


def test_a_program_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log, pytest.raises(FileNotFoundError):
        GuardedProcess.start([str(tmp_path / "missing")], log, temporary=None)


def test_a_parent_that_is_killed_takes_the_child_and_the_temporary_folder_with_it(tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    (temporary / "data").mkdir(parents=True)
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(temporary)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"started\n"

        parent.kill()

        # The child holds the other end of this pipe: it is at its end only when the child is dead.
        assert parent.stdout.read() == b""
    wait_until_gone(temporary)


def wait_until_gone(folder: Path) -> None:
    """Blocks until `folder` is removed; the limit for a whole test is the limit here."""
    subprocess.run(
        ["/bin/sh", "-c", 'while [ -e "$1" ]; do sleep 0.02; done', "wait", str(folder)], check=True, timeout=30
    )
