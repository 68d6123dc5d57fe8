"""Runs an image as a container would run: its root read-only, a temporary folder, process 1 of a PID namespace.

What user, environment and command there are is read from the image itself. Needs root, for namespaces and mounts.
"""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.deployment.tools import run

# `exec` to the end: what the image runs is process 1 itself.
INSIDE = """
set -e
mount --bind {root} {root}
mount -t proc proc {root}/proc
mount -t tmpfs -o mode=1777 tmpfs {root}/tmp
mount --bind /dev {root}/dev
mount -o remount,bind,ro {root}
exec chroot --userspec={user} {root} /usr/bin/env -i --chdir={folder} {environment} {command}
"""


class Storage:
    """Images and containers of buildah in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "storage.conf"
        config.write_text(f'[storage]\ndriver = "vfs"\nrunroot = "{folder}/run"\ngraphroot = "{folder}/graph"\n')
        self.environment = {
            "CONTAINERS_STORAGE_CONF": str(config),
            "BUILDAH_ISOLATION": "chroot",
            "TMPDIR": str(folder),
        }

    def buildah(self, *arguments: str | Path) -> str:
        return run("buildah", *arguments, env=self.environment).strip()

    def config_of(self, image: str) -> Mapping[str, Any]:
        """What the image says of itself, in the words of OCI."""
        inspected = json.loads(self.buildah("inspect", "--type", "image", image))
        return dict(inspected["OCIv1"]["config"])

    def unpacked(self, image: str) -> Path:
        """The root file system of the image. It goes with the storage."""
        return Path(self.buildah("mount", self.buildah("from", "--pull-never", image)))


@dataclass(slots=True)
class Container:
    """One run of an image's command."""

    root: Path
    config: Mapping[str, Any]
    process: subprocess.Popen[bytes]
    log_file: Path

    @property
    def pid(self) -> int:
        """Of process 1 of the container, as this side sees it."""
        task = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        [child] = task.read_text().split()
        return int(child)

    @property
    def log(self) -> str:
        return self.log_file.read_text("utf-8")

    def stop(self) -> None:
        """The signal that the image asks for, to process 1."""
        subprocess.run(["/bin/kill", "-s", self.config["StopSignal"], str(self.pid)], check=True)

    def ended(self, seconds: float) -> int:
        """The exit code of process 1. Raises `TimeoutExpired`."""
        return self.process.wait(seconds)

    def close(self) -> None:
        if self.process.poll() is None:
            subprocess.run(["/bin/kill", "-s", str(int(signal.SIGKILL)), str(self.pid)], check=True)
            self.process.wait()


def start(storage: Storage, image: str, settings: Mapping[str, str], log_file: Path) -> Container:
    config = storage.config_of(image)
    root = storage.unpacked(image)
    own = [*config["Env"], *(f"{name}={value}" for name, value in settings.items())]
    script = INSIDE.format(
        root=shlex.quote(str(root)),
        user=config["User"],
        folder=config["WorkingDir"],
        environment=shlex.join(own),
        command=shlex.join([*config["Entrypoint"], *config["Cmd"]]),
    )
    with log_file.open("wb") as log:
        unshare = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script]
        return Container(root, config, subprocess.Popen(unshare, stdout=log, stderr=log), log_file)
