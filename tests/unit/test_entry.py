"""The beginning of the command: SIGTERM ends it even while it is still importing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

HELD = """
import builtins, pathlib, sys, time
held, real = pathlib.Path(sys.argv[1]), builtins.__import__
def import_held(name, *arguments, **more):
    if name == "service.__main__":
        held.touch()
        time.sleep(60)
    return real(name, *arguments, **more)
builtins.__import__ = import_held
from service.entry import main
main()
"""


def test_a_signal_during_the_imports_ends_the_command_by_a_handler_of_its_own(tmp_path: Path) -> None:
    held = tmp_path / "held"
    process = subprocess.Popen([sys.executable, "-c", HELD, str(held)], cwd=Path(__file__).parents[2])
    while not held.exists():
        assert process.poll() is None
        os.sched_yield()

    process.send_signal(signal.SIGTERM)

    # By the default action it would be -15, which process 1 of a container does not take.
    assert process.wait(10) == 128 + signal.SIGTERM
