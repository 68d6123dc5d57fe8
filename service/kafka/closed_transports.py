"""Makes aiokafka understand what uvloop says about a connection that has just been lost.

To write on a transport that is closed raises `RuntimeError` in uvloop; asyncio's own loop says nothing, and aiokafka
knows of `OSError` only. Between the loss of a connection and the moment when aiokafka hears of it, the error then ends
whichever of its tasks asks something: the one that keeps the knowledge of the cluster, after which everything that
needs it waits for ever, or that of a producer.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError, KafkaError


def teach() -> None:
    """Once for the process; harmless when it is called again."""
    for name in ("send", "_send_sasl_token"):
        method = getattr(AIOKafkaConnection, name)
        if not hasattr(method, "__wrapped__"):
            setattr(AIOKafkaConnection, name, _as_broken(method))


def _as_broken(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def told(connection: AIOKafkaConnection, *arguments: Any, **named: Any) -> Any:
        try:
            return method(connection, *arguments, **named)
        except KafkaError:  # a kind of RuntimeError
            raise
        except RuntimeError as error:
            connection.close(reason=CloseReason.CONNECTION_BROKEN)
            raise KafkaConnectionError(f"Connection at {connection.host}:{connection.port} broken: {error}") from error

    return told
