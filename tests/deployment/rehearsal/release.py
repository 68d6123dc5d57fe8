"""A release of the chart whose pods are processes of this machine: its values, its Secrets, its pods."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from service.sandbox.server import Sandbox
from tests.chaos.workers import Worker
from tests.deployment.charts import Resource, only, render
from tests.deployment.pods import Pod, Secrets, pod_of
from tests.deployment.rehearsal.kubelet import Kubelet, log_of
from tests.support.relay_process import RelayProcess

JOB_SECONDS = 120.0
SECRETS: Secrets = {
    "folio": {"password": "relay-password\n"},
    "scsb": {"api-key": "sandbox-scsb-key"},
    "holdingsiq": {"api-key": "sandbox-holdingsiq-key"},
}


def values(servers: str, prefix: str, door: Sandbox, port: int) -> Mapping[str, Any]:
    """As for a release whose systems are played by the sandbox. All else is the chart's default."""
    return {
        "replicas": 3,
        "config": {
            "kafka": {"bootstrap_servers": servers, "group_id": f"{prefix}relay"},
            "topics": {"prefix": prefix},
            "http": {"port": port},
            "folio": {"url": door.folio_url, "tenant": "diku", "username": "relay"},
            "scsb": {"url": door.scsb_url},
            "holdingsiq": {"url": door.holdingsiq_url},
        },
        "secrets": {
            "RELAY_FOLIO__PASSWORD": {"name": "folio", "key": "password"},
            "RELAY_SCSB__API_KEY": {"name": "scsb", "key": "api-key"},
            "RELAY_HOLDINGSIQ__API_KEY": {"name": "holdingsiq", "key": "api-key"},
        },
    }


def address_of(number: int) -> str:
    """Of a pod: one of loopback's own."""
    return f"127.0.0.{number + 2}"


class Release:
    """What Helm has made of the values. `number` tells its pods' files from those of others."""

    def __init__(self, tools: Path, given: Mapping[str, Any], folder: Path) -> None:
        self._resources = render(tools, given)
        self._folder = folder

    def worker(self, number: int, door: Sandbox) -> Kubelet:
        """The pod of the Deployment, not started."""
        pod = self._pod(only(self._resources, "Deployment")["spec"]["template"], f"pod-{number}")
        address = address_of(number)
        environment = {**pod.environment, "RELAY_HTTP__HOST": address}
        worker = Worker(number, door, environment, log_of(self._folder, number))
        worker.process = RelayProcess(environment, log_of(self._folder, number), ("-m", "service", *pod.arguments))
        return Kubelet(pod, address, worker)

    async def make_topics(self) -> str:
        """The job before the installation, to its end. What it prints; raises `RuntimeError` for a bad end."""
        return await self._run(only(self._resources, "Job")["spec"]["template"], "topics")

    async def check(self) -> str:
        """What `helm test` runs, to its end."""
        return await self._run(only(self._resources, "Pod"), "check")

    async def _run(self, template: Resource, name: str) -> str:
        pod = self._pod(template, name)
        outside = {key: value for key, value in os.environ.items() if not key.startswith("RELAY_")}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "service", *pod.arguments,
            env=outside | dict(pod.environment),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        async with asyncio.timeout(JOB_SECONDS):
            said, _ = await process.communicate()
        if process.returncode:
            raise RuntimeError(f"{name} ended with {process.returncode}:\n{said.decode()}")
        return said.decode()

    def _pod(self, template: Resource, name: str) -> Pod:
        return pod_of(self._resources, template, SECRETS, self._folder / name)
