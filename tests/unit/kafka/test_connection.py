"""How settings become arguments of the Kafka clients."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

import pytest
import trustme
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


def test_all_clients_of_the_same_settings_share_certificates_and_tokens() -> None:
    one, other = (
        KafkaSettings.model_validate(
            {
                "security_protocol": "SASL_SSL",
                "sasl_mechanism": "OAUTHBEARER",
                "sasl_oauth_token_url": "https://issuer.example/token",
                "sasl_oauth_client_id": "relay",
                "sasl_oauth_client_secret": secret,
            }
        )
        for secret in ("hush", "hush, hush")
    )

    first, second, third = connection_arguments(one), connection_arguments(one), connection_arguments(other)

    assert first["sasl_mechanism"] == "OAUTHBEARER"
    assert first["sasl_oauth_token_provider"] is second["sasl_oauth_token_provider"]
    assert first["ssl_context"] is second["ssl_context"]
    assert third["sasl_oauth_token_provider"] is not first["sasl_oauth_token_provider"]
    assert "sasl_plain_username" not in first
    assert "hush" not in f"{first}"


async def test_a_certificate_that_no_longer_loads_is_told_and_the_one_before_it_serves_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    certificate = trustme.CA().issue_cert("relay.example")
    chain, key = tmp_path / "relay.pem", tmp_path / "relay.key"
    chain.write_bytes(certificate.cert_chain_pems[0].bytes())
    key.write_bytes(certificate.private_key_pem.bytes())
    settings = KafkaSettings(security_protocol="SSL", ssl_certfile=chain, ssl_keyfile=key)
    context = connection_arguments(settings)["ssl_context"]

    key.write_text("half of a k")
    context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="broker.example")

    [told] = [entry.getMessage() for entry in caplog.records if entry.name == "kafka.certificates"]
    assert told == f"RELAY_KAFKA__SSL_KEYFILE: {key} holds no private key in PEM form; the former files stay in use"
    assert connection_arguments(settings)["ssl_context"] is context


def test_an_error_that_says_nothing_is_told_by_its_name() -> None:
    assert words(TimeoutError()) == "TimeoutError"
    assert words(TimeoutError("after 5 s")) == "after 5 s"


def test_the_clients_own_log_is_quietened(monkeypatch: pytest.MonkeyPatch) -> None:
    logger = logging.getLogger("aiokafka")
    monkeypatch.setattr(logger, "level", logging.NOTSET)

    quieten()

    assert not logger.isEnabledFor(logging.ERROR)
