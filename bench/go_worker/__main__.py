"""Becomes the worker in Go, with one thread of Go's at a time: `python -m bench.go_worker`.

So it starts as every other worker of the benchmark does, and is on its core before Go makes threads.
"""

from __future__ import annotations

import os
import sys

from bench.go_worker.program import NotBuilt, built

if __name__ == "__main__":
    try:
        program = built()
    except NotBuilt as error:
        sys.exit(str(error))
    os.execve(program, [str(program)], os.environ | {"GOMAXPROCS": "1"})  # noqa: S606 - a program of our own, without a shell
