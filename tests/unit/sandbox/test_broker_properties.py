"""The settings of a broker of one's own, and its ports."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from service.sandbox.broker_properties import Ports, free_ports, server_properties

PORTS = Ports(broker=21001, controller=21002)
DATA = Path("/data")


def as_mapping(text: str) -> dict[str, str]:
    names = [line.partition("=")[0] for line in text.splitlines()]
    assert len(names) == len(set(names)), "a property is set twice"
    return dict(line.split("=", 1) for line in text.splitlines())


def test_a_broker_listens_on_this_machine_alone_and_says_so() -> None:
    properties = as_mapping(server_properties(PORTS, DATA, {}))

    assert properties["listeners"] == "PLAINTEXT://127.0.0.1:21001,CONTROLLER://127.0.0.1:21002"
    assert properties["advertised.listeners"] == "PLAINTEXT://127.0.0.1:21001"
    assert properties["controller.quorum.voters"] == "1@127.0.0.1:21002"
    assert properties["log.dirs"] == "/data"


def test_properties_of_ones_own_override_the_usual_ones_and_add_to_them() -> None:
    overrides = {"auto.create.topics.enable": "true", "group.min.session.timeout.ms": "1000"}

    properties = as_mapping(server_properties(PORTS, DATA, overrides))

    assert properties["auto.create.topics.enable"] == "true"
    assert properties["group.min.session.timeout.ms"] == "1000"
    assert properties["offsets.topic.replication.factor"] == "1"


def test_what_the_place_of_the_broker_is_made_of_cannot_be_overridden() -> None:
    with pytest.raises(ValueError, match=r"cannot be overridden: listeners, log\.dirs"):
        server_properties(PORTS, DATA, {"log.dirs": "/elsewhere", "listeners": "PLAINTEXT://0.0.0.0:9092"})


def test_further_listeners_have_ports_and_protocols_of_their_own() -> None:
    ports = Ports(21001, 21002, {"TLS": 21003})

    properties = as_mapping(server_properties(ports, DATA, {}, {"TLS": "SSL"}))

    assert properties["listeners"].endswith(",TLS://127.0.0.1:21003")
    assert properties["advertised.listeners"] == "PLAINTEXT://127.0.0.1:21001,TLS://127.0.0.1:21003"
    assert properties["listener.security.protocol.map"] == "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,TLS:SSL"


def test_free_ports_have_one_for_each_further_listener() -> None:
    ports = free_ports(("TLS", "SASL"))

    assert list(ports.others) == ["TLS", "SASL"]
    assert len({ports.broker, ports.controller, *ports.others.values()}) == 4


def test_free_ports_are_two_that_can_be_bound() -> None:
    ports = free_ports()

    assert ports.broker != ports.controller
    for port in (ports.broker, ports.controller):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", port))


def test_free_ports_are_never_ones_that_an_outgoing_connection_could_take() -> None:
    assert all(
        port < 32_768 for ports in (free_ports() for _ in range(50)) for port in (ports.broker, ports.controller)
    )
