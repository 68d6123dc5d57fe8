"""The rehearsal's kubelet finds what a real one would act on: a pod that never starts, that dies, that does not end."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.sandbox.server import Sandbox
from service.sandbox.systems import default_systems
from tests.chaos.workers import Worker
from tests.deployment.pods import Pod, Probe
from tests.deployment.rehearsal.kubelet import Kubelet, PodFault
from tests.deployment.tools import free_port
from tests.support.relay_process import RelayProcess

SERVER = """
import http.server, os, signal, sys
port, status, on_term = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
signal.signal(signal.SIGTERM, signal.SIG_IGN if on_term == "stays" else lambda *_: os._exit(int(on_term)))
class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(status)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", port), Answers).serve_forever()
"""


def kubelet(folder: Path, *arguments: str, script: str = SERVER, grace_seconds: int = 10) -> Kubelet:
    port = free_port()
    probes = {name: Probe("/livez", port, 0.2, 2, 20) for name in ("startup", "liveness", "readiness")}
    worker = Worker(0, Sandbox(default_systems()), {}, folder / "log")
    worker.process = RelayProcess({}, folder / "log", ("-c", script, str(port), *arguments))
    return Kubelet(Pod([], {}, probes, grace_seconds), "127.0.0.1", worker)


@pytest.fixture(autouse=True)
def _doors_need_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sandbox, "url", "http://127.0.0.1:1")


async def test_a_pod_that_answers_and_ends_with_0_is_in_order(tmp_path: Path) -> None:
    pod = kubelet(tmp_path, "200", "0")

    await pod.start()
    await pod.stop()

    assert pod.worker.process.exit_code == 0


async def test_a_pod_that_never_answers_well_is_a_fault(tmp_path: Path) -> None:
    pod = kubelet(tmp_path, "503", "0")

    with pytest.raises(PodFault, match="/livez failed 20 times"):
        await pod.start()
    await pod.worker.process.close()


async def test_a_pod_that_ends_by_itself_is_a_fault(tmp_path: Path) -> None:
    pod = kubelet(tmp_path, script="raise SystemExit(3)")

    with pytest.raises(PodFault, match="ended with 3"):
        await pod.start()


async def test_a_pod_that_outlasts_its_grace_period_is_a_fault(tmp_path: Path) -> None:
    pod = kubelet(tmp_path, "200", "stays", grace_seconds=1)

    await pod.start()
    with pytest.raises(PodFault, match="still ran 1 s after SIGTERM"):
        await pod.stop()
    await pod.worker.process.close()


async def test_a_pod_that_ends_with_another_code_is_a_fault(tmp_path: Path) -> None:
    pod = kubelet(tmp_path, "200", "1")

    await pod.start()
    with pytest.raises(PodFault, match="ended with 1 after SIGTERM"):
        await pod.stop()
