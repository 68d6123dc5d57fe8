"""The environment in which the demonstration's worker runs: Kafka as it was given, the sandbox in place of the systems.

Pure. The worker starts with these variables and no others, so nothing of the caller's own settings reaches it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from service.demo.samples import CREDENTIALS
from service.demo.samples.refused import MAX_EVENT_BYTES
from service.demo.samples.telling import DEFAULT_TENANT
from service.sandbox.holdingsiq.system import DEFAULT_API_KEY as HOLDINGSIQ_API_KEY
from service.sandbox.scsb.system import DEFAULT_API_KEY as SCSB_API_KEY
from service.settings import KafkaSettings

PREFIX: Final = "RELAY_"

RETRIES: Final = {
    "RETRY__MAX_ATTEMPTS": "6",
    "RETRY__INITIAL_SECONDS": "0.2",
    "RETRY__MAX_SECONDS": "1",
    "RETRY__DEADLINE_SECONDS": "30",
}
"""Short, so that a demonstration does not last for minutes."""

POLLS: Final = {"EXPORTS__POLL_INITIAL_SECONDS": "0.1", "EXPORTS__POLL_MAX_SECONDS": "0.5"}


def sandbox_environment(folio_url: str, scsb_url: str, holdingsiq_url: str) -> dict[str, str]:
    """What names the sandbox in place of the systems, with its credentials for every tenant that has any."""
    variables = {
        "FOLIO__URL": folio_url,
        "FOLIO__TENANT": DEFAULT_TENANT,
        "SCSB__URL": scsb_url,
        "SCSB__API_KEY": SCSB_API_KEY,
        "HOLDINGSIQ__URL": holdingsiq_url,
        "HOLDINGSIQ__API_KEY": HOLDINGSIQ_API_KEY,
    }
    for tenant, credentials in CREDENTIALS.items():
        section = "FOLIO" if tenant == DEFAULT_TENANT else f"FOLIO__TENANTS__{tenant.upper()}"
        variables |= {f"{section}__{name}": value for name, value in credentials.items()}
    return _prefixed(variables)


def kafka_environment(kafka: KafkaSettings, topic_prefix: str) -> dict[str, str]:
    """What names the brokers, the group and the topics, as the settings that were given say it."""
    given = {name: getattr(kafka, name) for name in KafkaSettings.model_fields}
    variables = {f"KAFKA__{name.upper()}": _text(value) for name, value in given.items() if value is not None}
    return _prefixed({**variables, "TOPICS__PREFIX": topic_prefix})


def worker_environment(http_port: int) -> dict[str, str]:
    """What else the worker of the demonstration is told."""
    return _prefixed(
        {
            **RETRIES,
            **POLLS,
            "HTTP__HOST": "127.0.0.1",
            "HTTP__PORT": str(http_port),
            "LIMITS__EVENT_BYTES": str(MAX_EVENT_BYTES),
            "LOG__FORMAT": "json",
        }
    )


def _prefixed(variables: Mapping[str, str]) -> dict[str, str]:
    return {PREFIX + name: value for name, value in variables.items()}


def _text(value: str | float | Path | SecretStr | None) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
