"""The settings of a broker of one's own: one node that is broker and controller at once (KRaft).

Owns `server.properties` and the choice of ports. It must not start anything.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

# Below the ranges from which Linux and macOS take the ports of outgoing connections. A port out of those could be
# taken by the very client that waits for its broker to come back, and the broker could not.
_FIRST_PORT, _LAST_PORT = 20_000, 31_999

_DEFAULTS = {
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # A broker that was killed is let in again only when its former session has ended (9 s by default).
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "group.initial.rebalance.delay.ms": "0",  # nobody waits for members that will not come
    "auto.create.topics.enable": "false",  # a misspelt topic is an error
}


@dataclass(frozen=True, slots=True)
class Ports:
    """The two ports of a broker on 127.0.0.1."""

    broker: int
    controller: int


def free_ports() -> Ports:
    """Two ports on which nothing listens at this moment."""
    candidates = random.Random()  # noqa: S311 -- only has to differ from one process to the next
    with closing(_bound_socket(candidates)) as broker, closing(_bound_socket(candidates)) as controller:
        return Ports(broker.getsockname()[1], controller.getsockname()[1])


def _bound_socket(candidates: random.Random) -> socket.socket:
    for port in candidates.sample(range(_FIRST_PORT, _LAST_PORT + 1), 200):
        candidate = socket.socket()
        # As the broker does: what a closed connection left behind does not count as taken.
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind(("127.0.0.1", port))
        except OSError:
            candidate.close()
        else:
            return candidate
    raise OSError(f"no free port between {_FIRST_PORT} and {_LAST_PORT} on 127.0.0.1")


def server_properties(ports: Ports, data: Path, overrides: Mapping[str, str]) -> str:
    """The text of `server.properties`. Raises ValueError for an override of what the broker's place is made of."""
    fixed = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{ports.controller}",
        "listeners": f"PLAINTEXT://127.0.0.1:{ports.broker},CONTROLLER://127.0.0.1:{ports.controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{ports.broker}",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": str(data),
    }
    if refused := sorted(fixed.keys() & overrides.keys()):
        raise ValueError(f"these properties of the local broker cannot be overridden: {', '.join(refused)}")
    return "".join(f"{name}={value}\n" for name, value in {**fixed, **_DEFAULTS, **overrides}.items())
