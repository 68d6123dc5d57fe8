"""How to reach the brokers, and who we are to them: the keyword arguments that every aiokafka client is made with."""

from __future__ import annotations

import logging
import ssl
from typing import Any

from aiokafka import AIOKafkaConsumer

from service.settings import KafkaSettings

CLIENT_ID = "holdings-relay"
MAX_REQUEST_BYTES = 32 * 1024 * 1024
"""The relay bounds its records itself; the topics' own limits still hold."""


def connection_arguments(settings: KafkaSettings) -> dict[str, Any]:
    """For consumer, producer and admin client alike. Raises `OSError` or `ssl.SSLError` for certificates that do not
    load."""
    arguments: dict[str, Any] = {
        "bootstrap_servers": settings.bootstrap_servers,
        "client_id": CLIENT_ID,
        "security_protocol": settings.security_protocol,
    }
    if "SSL" in settings.security_protocol:
        context = ssl.create_default_context(cafile=settings.ssl_cafile)
        if settings.ssl_certfile and settings.ssl_keyfile:
            context.load_cert_chain(settings.ssl_certfile, settings.ssl_keyfile)
        arguments["ssl_context"] = context
    if settings.security_protocol.startswith("SASL"):
        arguments["sasl_mechanism"] = settings.sasl_mechanism
        arguments["sasl_plain_username"] = settings.sasl_username
        password = settings.sasl_password
        arguments["sasl_plain_password"] = password.get_secret_value() if password else None
    return arguments


def words(error: Exception) -> str:
    """What an error of aiokafka's says; a time-out of ours says nothing but its name."""
    return str(error) or type(error).__name__


def member_id_of(consumer: AIOKafkaConsumer) -> str:
    """aiokafka keeps it to itself; nothing else tells a member that stayed from one that was expelled and came back."""
    return str(consumer._coordinator.member_id)


def quieten() -> None:
    """aiokafka logs every retry of its own as an error; what matters of it reaches the observer."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
