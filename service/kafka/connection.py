"""How to reach the brokers, and who we are to them: the keyword arguments that every aiokafka client is made with."""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import Any

from aiokafka import AIOKafkaConsumer

from service.kafka import closed_transports
from service.kafka.oauth import ClientCredentials, Grant
from service.settings import KafkaSettings
from service.tls import FollowingContext, TlsFault

CLIENT_ID = "holdings-relay"
CERTIFICATES_LOGGER = "kafka.certificates"
MAX_REQUEST_BYTES = 32 * 1024 * 1024
"""The relay bounds its records itself; the topics' own limits still hold."""


closed_transports.teach()


def connection_arguments(settings: KafkaSettings) -> dict[str, Any]:
    """For consumer, producer and admin client alike; all clients of the same settings share certificates and token.
    Raises `TlsFault` for files that have ceased to load since the settings were read."""
    arguments: dict[str, Any] = {
        "bootstrap_servers": settings.bootstrap_servers,
        "client_id": CLIENT_ID,
        "security_protocol": settings.security_protocol,
    }
    if settings.uses_tls:
        arguments["ssl_context"] = _context(settings)
    if settings.uses_sasl:
        arguments["sasl_mechanism"] = settings.sasl_mechanism
    if settings.uses_oauth:
        arguments["sasl_oauth_token_provider"] = _tokens(settings)
    elif settings.uses_sasl:
        arguments["sasl_plain_username"] = settings.sasl_username
        password = settings.sasl_password
        arguments["sasl_plain_password"] = password.get_secret_value() if password else None
    return arguments


@lru_cache(maxsize=8)
def _context(settings: KafkaSettings) -> FollowingContext:
    return FollowingContext(settings.tls_files, _files_do_not_load)


@lru_cache(maxsize=8)
def _tokens(settings: KafkaSettings) -> ClientCredentials:
    secret = settings.sasl_oauth_client_secret
    return ClientCredentials(
        Grant(
            str(settings.sasl_oauth_token_url),
            settings.sasl_oauth_client_id or "",
            secret.get_secret_value() if secret else "",
            settings.sasl_oauth_scope,
            settings.sasl_oauth_cafile,
        )
    )


def _files_do_not_load(fault: TlsFault) -> None:
    """Nobody waits for it, and no client fails by it: the standard log is where it can be told."""
    name = f"RELAY_KAFKA__SSL_{fault.which.upper()}"
    logging.getLogger(CERTIFICATES_LOGGER).warning("%s: %s; the former files stay in use", name, fault)


def words(error: Exception) -> str:
    """What an error of aiokafka's says; a time-out of ours says nothing but its name."""
    return str(error) or type(error).__name__


def member_id_of(consumer: AIOKafkaConsumer) -> str:
    """aiokafka keeps it to itself; nothing else tells a member that stayed from one that was expelled and came back."""
    return str(consumer._coordinator.member_id)


def quieten() -> None:
    """aiokafka logs every retry of its own as an error; what matters of it reaches the observer."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
