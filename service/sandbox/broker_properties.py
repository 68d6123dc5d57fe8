"""The settings of a broker of one's own: one node that is broker and controller at once (KRaft).

Owns `server.properties` and the choice of ports. It must not start anything.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
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
    # 128 MiB by default, taken at the start: half the heap of such a broker, which its topics need.
    "log.cleaner.dedupe.buffer.size": "4194304",
}


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of a broker on 127.0.0.1; `others` are those of further listeners, by name."""

    broker: int
    controller: int
    others: Mapping[str, int] = field(default_factory=dict)


def free_ports(others: Sequence[str] = ()) -> Ports:
    """Ports on which nothing listens at this moment; `others` are names of further listeners."""
    candidates = random.Random()  # noqa: S311 -- only has to differ from one process to the next
    with ExitStack() as stack:
        bound = [stack.enter_context(closing(_bound_socket(candidates))) for _ in range(2 + len(others))]
        broker, controller, *rest = [held.getsockname()[1] for held in bound]
        return Ports(broker, controller, dict(zip(others, rest, strict=True)))


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


def server_properties(
    ports: Ports, data: Path, overrides: Mapping[str, str], protocols: Mapping[str, str] | None = None
) -> str:
    """The text of `server.properties`. Raises ValueError for an override of what the broker's place is made of.

    `protocols` are the security protocols of further listeners, by the names in `ports.others`.
    """
    others = "".join(f",{name}://127.0.0.1:{port}" for name, port in ports.others.items())
    by_name = {"PLAINTEXT": "PLAINTEXT", "CONTROLLER": "PLAINTEXT", **(protocols or {})}
    fixed = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{ports.controller}",
        "listeners": f"PLAINTEXT://127.0.0.1:{ports.broker},CONTROLLER://127.0.0.1:{ports.controller}{others}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{ports.broker}{others}",
        "listener.security.protocol.map": ",".join(f"{name}:{protocol}" for name, protocol in by_name.items()),
        "controller.listener.names": "CONTROLLER",
        "log.dirs": str(data),
    }
    if refused := sorted(fixed.keys() & overrides.keys()):
        raise ValueError(f"these properties of the local broker cannot be overridden: {', '.join(refused)}")
    return "".join(f"{name}={value}\n" for name, value in {**fixed, **_DEFAULTS, **overrides}.items())
