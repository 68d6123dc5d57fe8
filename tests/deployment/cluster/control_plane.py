"""A control plane of Kubernetes on loopback, with nodes that kwok plays. Owns its processes; all die with this one.

No container runs, no probe is made and no network policy is enforced: what is tried is what the API server, the
controllers, the scheduler and Helm make of the chart.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import trustme

from service.sandbox.broker_process import GuardedProcess
from tests.deployment.tools import ToolFailed, free_port, run

UP_SECONDS = 180.0
STOP_SECONDS = 20.0
STAGES = Path(__file__).parent / "stages.yaml"
NODES = {"node-a": "zone-a", "node-b": "zone-b"}


class Cluster:
    """A way in: kubectl and helm with the right to everything."""

    def __init__(self, tools: Path, kubeconfig: Path) -> None:
        self._bin = tools / "bin"
        self._environment = {"KUBECONFIG": str(kubeconfig), "HELM_CACHE_HOME": str(kubeconfig.parent / "helm")}

    def kubectl(self, *arguments: str | Path, text_in: str | None = None) -> str:
        return run(self._bin / "kubectl", *arguments, env=self._environment, text_in=text_in)

    def helm(self, *arguments: str | Path) -> str:
        return run(self._bin / "helm", *arguments, env=self._environment)

    def get(self, *arguments: str) -> Any:
        """What `kubectl get` finds: one resource, or a list with `items`."""
        return json.loads(self.kubectl("get", *arguments, "--output", "json"))


@contextmanager
def control_plane(tools: Path, folder: Path) -> Iterator[Cluster]:
    """Blocks until the nodes are ready. Raises `ToolFailed` with the logs when they do not become so."""
    program = tools / "bin"
    etcd, peer, api = (free_port() for _ in range(3))
    kubeconfig = _credentials(folder, api)
    key = folder / "key.pem"
    commands = {
        "etcd": [
            "--data-dir", folder / "etcd", "--unsafe-no-fsync",
            "--listen-client-urls", f"http://127.0.0.1:{etcd}", "--advertise-client-urls", f"http://127.0.0.1:{etcd}",
            "--listen-peer-urls", f"http://127.0.0.1:{peer}", "--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}",
            "--initial-cluster", f"default=http://127.0.0.1:{peer}",
        ],
        "kube-apiserver": [
            "--etcd-servers", f"http://127.0.0.1:{etcd}",
            "--bind-address", "127.0.0.1", "--advertise-address", "127.0.0.1", "--secure-port", api,
            "--tls-cert-file", folder / "server.pem", "--tls-private-key-file", folder / "server-key.pem",
            "--service-cluster-ip-range", "10.96.0.0/16", "--endpoint-reconciler-type", "none",
            "--service-account-issuer", "https://127.0.0.1", "--service-account-key-file", key,
            "--service-account-signing-key-file", key,
            "--token-auth-file", folder / "tokens.csv", "--authorization-mode", "RBAC",
        ],
        "kube-controller-manager": [
            "--kubeconfig", kubeconfig, "--bind-address", "127.0.0.1", "--secure-port", "0", "--leader-elect=false",
            "--service-account-private-key-file", key, "--root-ca-file", folder / "ca.pem",
            "--use-service-account-credentials=false",
            "--node-monitor-grace-period", "1h",  # kwok's nodes send no heartbeat, and would count as lost in a minute
        ],
        "kube-scheduler": [
            "--kubeconfig", kubeconfig, "--bind-address", "127.0.0.1", "--secure-port", "0", "--leader-elect=false",
        ],
        "kwok": ["--kubeconfig", kubeconfig, "--config", STAGES, "--manage-all-nodes=true"],
    }  # fmt: skip
    cluster = Cluster(tools, kubeconfig)
    # Left in the opposite order: the API server goes before etcd, and never waits for it.
    with ExitStack() as running:
        for name, arguments in commands.items():
            running.enter_context(_process(program / name, [str(argument) for argument in arguments], folder))
            if name == "kube-apiserver":
                _until(lambda: cluster.kubectl("get", "--raw", "/readyz"), folder)
        for node, zone in NODES.items():
            cluster.kubectl("apply", "--filename", "-", text_in=_node(node, zone))
        cluster.kubectl("apply", "--server-side", "--filename", tools / "crds")
        _until(lambda: cluster.kubectl("wait", "--for=condition=Ready", "nodes", "--all", "--timeout=5s"), folder)
        _until(lambda: cluster.kubectl("get", "serviceaccount", "default"), folder)
        yield cluster


@contextmanager
def _process(program: Path, arguments: list[str], folder: Path) -> Iterator[None]:
    with (folder / f"{program.name}.log").open("wb") as log:
        process = GuardedProcess.start([str(program), *arguments], log, temporary=None)
    try:
        yield
    finally:
        process.terminate(STOP_SECONDS)


def _until(succeeds: Any, folder: Path) -> None:
    """Until a command ends with 0."""
    deadline = time.monotonic() + UP_SECONDS
    while True:
        try:
            succeeds()
            return
        except ToolFailed as error:
            if time.monotonic() > deadline:
                logs = "\n".join(f"{log.name}:\n{log.read_text()[-3000:]}" for log in sorted(folder.glob("*.log")))
                raise ToolFailed(f"the control plane did not come up: {error}\n{logs}") from error
            time.sleep(0.2)


def _credentials(folder: Path, port: int) -> Path:
    """Certificates, the key of service accounts, the one token; the path of the kubeconfig that holds it."""
    authority = trustme.CA()
    server = authority.issue_cert("127.0.0.1", "localhost")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    server.private_key_pem.write_to_path(folder / "server-key.pem")
    (folder / "server.pem").write_bytes(b"".join(blob.bytes() for blob in server.cert_chain_pems))
    authority.private_key_pem.write_to_path(folder / "key.pem")
    token = secrets.token_hex(16)
    (folder / "tokens.csv").write_text(f"{token},admin,admin,system:masters\n")
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
        "clusters": [
            {
                "name": "test",
                "cluster": {"server": f"https://127.0.0.1:{port}", "certificate-authority": str(folder / "ca.pem")},
            }
        ],
        "users": [{"name": "admin", "user": {"token": token}}],
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(config))
    return path


def _node(name: str, zone: str) -> str:
    labels = {"kubernetes.io/hostname": name, "topology.kubernetes.io/zone": zone, "kubernetes.io/os": "linux"}
    return json.dumps({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}})
