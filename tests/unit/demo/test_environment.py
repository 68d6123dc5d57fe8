"""The worker of the demonstration is told everything by its environment, and the settings understand it."""

from __future__ import annotations

import pytest

from service import settings as settings_of
from service.demo.environment import RETRIES, kafka_environment, sandbox_environment, worker_environment
from service.demo.samples import SANDBOX_SEED
from service.demo.samples.refused import MAX_EVENT_BYTES
from service.settings import KafkaSettings, Settings

FOLIO, SCSB, HOLDINGSIQ = (f"http://127.0.0.1:9/{system}" for system in ("folio", "scsb", "holdingsiq"))


def loaded(monkeypatch: pytest.MonkeyPatch, *parts: dict[str, str]) -> Settings:
    for part in parts:
        for name, value in part.items():
            monkeypatch.setenv(name, value)
    return settings_of.load()


def test_the_brokers_are_those_given_with_every_setting_of_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    given = KafkaSettings(
        bootstrap_servers="broker:9093",
        group_id="demo-1",
        security_protocol="SASL_SSL",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_username="relay",
        sasl_password="secret",  # type: ignore[arg-type]
        session_timeout_seconds=10,
    )
    found = loaded(monkeypatch, kafka_environment(given, "demo-1."))
    assert found.kafka == given
    assert found.topics.prefix == "demo-1."


def test_the_sandbox_stands_in_for_every_system_with_its_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    found = loaded(monkeypatch, sandbox_environment(FOLIO, SCSB, HOLDINGSIQ))
    assert (str(found.folio.url), str(found.scsb.url)) == (FOLIO, SCSB)
    assert found.folio.tenant == "diku"
    assert found.folio.given
    assert found.scsb.api_key
    assert set(found.folio.tenants) == {"hillside_college", "consortium"}


def test_exports_are_asked_of_the_sandbox_too() -> None:
    environment = sandbox_environment(FOLIO, SCSB, HOLDINGSIQ)
    assert environment["RELAY_HOLDINGSIQ__URL"] == HOLDINGSIQ
    assert environment["RELAY_HOLDINGSIQ__API_KEY"]


def test_a_tenant_of_the_sandbox_is_left_without_credentials() -> None:
    assert "ghost_college" in str(SANDBOX_SEED["login"])
    assert not [name for name in sandbox_environment(FOLIO, SCSB, HOLDINGSIQ) if "GHOST" in name]


def test_the_worker_retries_shortly_and_takes_no_large_events(monkeypatch: pytest.MonkeyPatch) -> None:
    found = loaded(monkeypatch, worker_environment(8123))
    assert (found.http.host, found.http.port) == ("127.0.0.1", 8123)
    assert found.limits.event_bytes == MAX_EVENT_BYTES
    assert found.retry.max_attempts == int(RETRIES["RETRY__MAX_ATTEMPTS"])
    assert found.retry.max_seconds <= 1


@pytest.mark.parametrize(
    ("environment", "given"),
    [
        ({}, False),
        ({"RELAY_KAFKA__GROUP_ID": "g"}, False),
        ({"RELAY_KAFKA__BOOTSTRAP_SERVERS": "localhost:9092"}, True),
        ({"RELAY_KAFKA__BOOTSTRAP_SERVERS": "kafka:9092", "RELAY_KAFKA__GROUP_ID": "g"}, True),
    ],
)
def test_a_broker_counts_as_named_when_it_is_the_default_too(
    environment: dict[str, str], given: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded(monkeypatch, environment)
    assert settings_of.brokers_are_given() is given
