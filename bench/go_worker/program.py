"""Where the built worker in Go is; `scripts/go-worker` builds it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

SCRIPT: Final = Path(__file__).parents[2] / "scripts" / "go-worker"


class NotBuilt(Exception):
    """Why there is none, in the words of what should have built it."""


def built(script: Path = SCRIPT) -> Path:
    """The program, which is built first where that has not been done. Raises `NotBuilt`."""
    done = subprocess.run([script], check=False, capture_output=True, text=True)
    if done.returncode:
        raise NotBuilt(done.stderr.strip() or f"{script.name} ended with {done.returncode}")
    return Path(done.stdout.strip())
