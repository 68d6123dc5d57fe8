"""The chart on a real control plane, in a namespace that holds every pod to the standard `restricted`."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.deployment.charts import CHART, EXAMPLES, RELEASE, render
from tests.deployment.cluster.control_plane import NODES, Cluster, control_plane
from tests.deployment.tools import ToolFailed, provide

MINIMAL = CHART / "ci" / "minimal-values.yaml"
NAME = f"{RELEASE}-holdings-relay"
WORKERS = "app.kubernetes.io/component=worker"
WAIT = ("--wait", "--timeout", "120s")
PRIORITY = {
    "apiVersion": "scheduling.k8s.io/v1",
    "kind": "PriorityClass",
    "metadata": {"name": "important"},
    "value": 1000,
}
KINDS = (
    "deployment,replicaset,pod,service,configmap,job,serviceaccount,networkpolicy,poddisruptionbudget,"
    "scaledobject,triggerauthentication,podmonitor,servicemonitor,prometheusrule"
)

pytestmark = pytest.mark.timeout(3600)


@pytest.fixture(scope="session")
def tools() -> Path:
    return provide("chart", "cluster")


@pytest.fixture(scope="session")
def cluster(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with control_plane(tools, tmp_path_factory.mktemp("control-plane")) as cluster:
        yield cluster


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """One of the test's own, `restricted`, with the Secret that the smallest release needs."""
    name = f"library-{uuid.uuid4().hex[:6]}"
    cluster.kubectl("create", "namespace", name)
    cluster.kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
    cluster.kubectl("--namespace", name, "create", "secret", "generic", "scsb", "--from-literal=api-key=secret")
    yield name
    for node in NODES:
        cluster.kubectl("uncordon", node)
    cluster.kubectl("delete", "namespace", name, "--wait=false")


def install(cluster: Cluster, namespace: str, *more: str | Path) -> None:
    cluster.helm("install", RELEASE, CHART, "--namespace", namespace, "--values", MINIMAL, *WAIT, *more)


def upgrade(cluster: Cluster, namespace: str, *more: str | Path) -> None:
    cluster.helm("upgrade", RELEASE, CHART, "--namespace", namespace, "--values", MINIMAL, *WAIT, *more)


def workers(cluster: Cluster, namespace: str) -> dict[str, str]:
    """Pods that are not on their way out, and the node of each; empty while it has none."""
    pods = cluster.get("--namespace", namespace, "pods", "--selector", WORKERS)["items"]
    return {
        pod["metadata"]["name"]: pod["spec"].get("nodeName", "")
        for pod in pods
        if "deletionTimestamp" not in pod["metadata"]
    }


def disruptions_allowed(cluster: Cluster, namespace: str) -> int:
    allowed: int = cluster.get("--namespace", namespace, "poddisruptionbudget", NAME)["status"]["disruptionsAllowed"]
    return allowed


def concurrency(cluster: Cluster, namespace: str) -> int:
    config = cluster.get("--namespace", namespace, "configmap", NAME)["data"]["config.yaml"]
    value: int = yaml.safe_load(config)["concurrency"]
    return value


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.2)


def test_a_bare_release_with_one_system_gets_ready_with_its_topics_made_first(cluster: Cluster, namespace: str) -> None:
    install(cluster, namespace)

    deployment = cluster.get("--namespace", namespace, "deployment", NAME)
    assert deployment["status"]["readyReplicas"] == 2
    assert set(workers(cluster, namespace).values()) == set(NODES), "spread over the nodes"
    assert cluster.get("--namespace", namespace, "jobs")["items"] == [], "a job that succeeded goes"


def test_an_upgrade_rolls_the_pods_and_a_rollback_brings_the_settings_back(cluster: Cluster, namespace: str) -> None:
    install(cluster, namespace, "--set", "config.concurrency=100")
    first = workers(cluster, namespace)

    upgrade(cluster, namespace, "--set", "config.concurrency=200")
    until(lambda: not workers(cluster, namespace).keys() & first.keys())
    assert concurrency(cluster, namespace) == 200

    second = workers(cluster, namespace)
    cluster.helm("rollback", RELEASE, "1", "--namespace", namespace, *WAIT)
    until(lambda: not workers(cluster, namespace).keys() & second.keys())
    assert concurrency(cluster, namespace) == 100


def test_an_upgrade_that_changes_nothing_leaves_the_pods_alone(cluster: Cluster, namespace: str) -> None:
    install(cluster, namespace)
    first = workers(cluster, namespace)

    upgrade(cluster, namespace)

    assert workers(cluster, namespace) == first


def test_an_upgrade_that_does_not_get_ready_is_rolled_back_and_no_worker_was_missed(
    cluster: Cluster, namespace: str
) -> None:
    install(cluster, namespace)
    first = workers(cluster, namespace)

    with pytest.raises(ToolFailed, match="UPGRADE FAILED: context deadline exceeded"):
        # The job that comes first has the same image, and would not end.
        upgrade(cluster, namespace, "--set", "image.tag=broken,topics.job.enabled=false", "--timeout", "10s")
    cluster.helm("rollback", RELEASE, "1", "--namespace", namespace, *WAIT)

    history = json.loads(cluster.helm("history", RELEASE, "--namespace", namespace, "--output", "json"))
    assert [revision["status"] for revision in history] == ["superseded", "failed", "deployed"]
    assert first.keys() <= workers(cluster, namespace).keys()


def test_a_job_that_cannot_make_the_topics_stops_the_installation(cluster: Cluster, namespace: str) -> None:
    with pytest.raises(ToolFailed, match="failed pre-install"):
        install(cluster, namespace, "--set", "image.tag=broken", "--timeout", "5s")

    assert workers(cluster, namespace) == {}


def test_helm_test_runs_the_check_to_its_end(cluster: Cluster, namespace: str) -> None:
    install(cluster, namespace)

    assert "Phase:          Succeeded" in cluster.helm("test", RELEASE, "--namespace", namespace, "--timeout", "60s")


def test_a_drain_waits_for_the_disruption_budget(cluster: Cluster, namespace: str) -> None:
    install(cluster, namespace)
    until(lambda: set(workers(cluster, namespace).values()) == set(NODES))
    first, second = NODES
    drain = ("drain", "--ignore-daemonsets", "--delete-emptydir-data", "--pod-selector", WORKERS)
    for node in NODES:
        cluster.kubectl("cordon", node)

    cluster.kubectl(*drain, first, "--timeout=60s")  # its worker has nowhere to go, and is missed
    until(lambda: disruptions_allowed(cluster, namespace) == 0)
    with pytest.raises(ToolFailed, match="disruption budget"):
        cluster.kubectl(*drain, second, "--timeout=10s")

    cluster.kubectl("uncordon", first)
    cluster.kubectl(*drain, second, "--timeout=120s")
    until(lambda: list(workers(cluster, namespace).values()) == [first, first])


def test_the_namespace_refuses_a_pod_that_is_not_restricted(cluster: Cluster, namespace: str) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "loose"},
        "spec": {"containers": [{"name": "loose", "image": "loose"}]},
    }

    with pytest.raises(ToolFailed, match='violates PodSecurity "restricted'):
        cluster.kubectl("--namespace", namespace, "apply", "--filename", "-", text_in=json.dumps(pod))


@pytest.mark.parametrize("values", EXAMPLES, ids=lambda path: path.stem)
def test_the_api_server_accepts_every_resource_and_warns_of_none(
    cluster: Cluster, tools: Path, namespace: str, values: Path
) -> None:
    resources = [resource for resource in render(tools, values) if resource["kind"] != "KafkaTopic"]
    for resource in resources:
        resource["metadata"]["namespace"] = namespace
    # What a pod names must be there, for a dry run too.
    named = [resource for resource in resources if resource["kind"] == "ServiceAccount"]
    cluster.kubectl("apply", "--filename", "-", text_in=yaml.safe_dump_all([*named, PRIORITY]))

    cluster.kubectl(
        "apply", "--dry-run=server", "--validate=strict", "--warnings-as-errors", "--filename", "-",
        text_in=yaml.safe_dump_all(resources),
    )  # fmt: skip


def test_everything_that_is_optional_can_be_installed_and_uninstalled_without_a_trace(
    cluster: Cluster, namespace: str
) -> None:
    everything = (
        "autoscaling.enabled=true,monitoring.monitor.enabled=true,monitoring.rules.enabled=true,"
        "monitoring.dashboard.enabled=true"
    )
    install(cluster, namespace, "--set", everything)
    assert cluster.get("--namespace", namespace, "scaledobject", NAME)["spec"]["maxReplicaCount"] == 6
    assert cluster.get("--namespace", namespace, "prometheusrule", NAME)
    assert cluster.get("--namespace", namespace, "podmonitor", NAME)

    cluster.helm("uninstall", RELEASE, "--namespace", namespace, *WAIT)

    def left() -> list[str]:
        found = cluster.get("--namespace", namespace, KINDS)["items"]
        of_the_cluster = {"kube-root-ca.crt", "default"}
        return [item["metadata"]["name"] for item in found if item["metadata"]["name"] not in of_the_cluster]

    until(lambda: left() == [])
