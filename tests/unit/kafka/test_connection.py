"""How settings become arguments of the Kafka clients."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

import pytest
from pydantic import SecretStr

from service.kafka.connection import connection_arguments, quieten, words
from service.settings import KafkaSettings


def test_plain_text_needs_nothing_but_the_brokers() -> None:
    arguments = connection_arguments(KafkaSettings(bootstrap_servers="a:1,b:2"))

    assert arguments == {
        "bootstrap_servers": "a:1,b:2",
        "client_id": "holdings-relay",
        "security_protocol": "PLAINTEXT",
    }


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_sasl_takes_mechanism_user_and_password(mechanism: str) -> None:
    settings = KafkaSettings.model_validate(
        {
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": mechanism,
            "sasl_username": "relay",
            "sasl_password": "hush",
        }
    )

    arguments = connection_arguments(settings)

    assert arguments["sasl_mechanism"] == mechanism
    assert (arguments["sasl_plain_username"], arguments["sasl_plain_password"]) == ("relay", "hush")
    assert "ssl_context" not in arguments


def test_tls_verifies_the_brokers_by_name() -> None:
    context = connection_arguments(KafkaSettings(security_protocol="SSL"))["ssl_context"]

    assert isinstance(context, ssl.SSLContext)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_sasl_over_tls_takes_both() -> None:
    settings = KafkaSettings(
        security_protocol="SASL_SSL", sasl_mechanism="PLAIN", sasl_username="relay", sasl_password=SecretStr("hush")
    )

    assert {"ssl_context", "sasl_mechanism"} <= connection_arguments(settings).keys()


def test_authorities_that_do_not_load_are_told(tmp_path: Path) -> None:
    not_pem = tmp_path / "authorities.pem"
    not_pem.write_text("not a certificate")

    with pytest.raises(ssl.SSLError):
        connection_arguments(KafkaSettings(security_protocol="SSL", ssl_cafile=not_pem))
    with pytest.raises(OSError, match="No such file"):
        connection_arguments(KafkaSettings(security_protocol="SSL", ssl_cafile=tmp_path / "missing.pem"))


def test_a_certificate_of_the_workers_own_is_loaded_with_its_key(tmp_path: Path) -> None:
    settings = KafkaSettings(
        security_protocol="SSL", ssl_certfile=tmp_path / "missing.pem", ssl_keyfile=tmp_path / "missing.key"
    )

    with pytest.raises(OSError, match="No such file"):
        connection_arguments(settings)


def test_an_error_that_says_nothing_is_told_by_its_name() -> None:
    assert words(TimeoutError()) == "TimeoutError"
    assert words(TimeoutError("after 5 s")) == "after 5 s"


def test_the_clients_own_log_is_quietened(monkeypatch: pytest.MonkeyPatch) -> None:
    logger = logging.getLogger("aiokafka")
    monkeypatch.setattr(logger, "level", logging.NOTSET)

    quieten()

    assert not logger.isEnabledFor(logging.ERROR)
