"""What may become of a call in a simulated world, and how long that takes. Calls nothing."""

from __future__ import annotations

from random import Random
from typing import Literal, TypeAlias

USUAL_CALL_SECONDS = 3.0
"""The longest that a call takes when nothing is wrong."""
CALL_TIMEOUT_SECONDS = 15.0
"""How long a worker waits for an answer."""

Fate: TypeAlias = Literal[
    "answered",
    "answered late",
    "timed out",
    "never arrived",
    "lost on the way there",
    "lost on the way back",
    "denied",
]
TROUBLES: tuple[Fate, ...] = (
    "answered late",
    "timed out",
    "never arrived",
    "lost on the way there",
    "lost on the way back",
    "denied",
)
APPLIED: tuple[Fate, ...] = ("answered", "answered late", "timed out", "lost on the way back")


def seconds_of(fate: Fate, random: Random, usual_seconds: float = USUAL_CALL_SECONDS) -> float:
    """From the call to its answer, or to where that would have been."""
    if fate == "answered late":
        return random.uniform(USUAL_CALL_SECONDS, CALL_TIMEOUT_SECONDS)
    if fate == "timed out":  # and applied before the worker has given up, or after
        return random.uniform(CALL_TIMEOUT_SECONDS, CALL_TIMEOUT_SECONDS * 3)
    return random.uniform(0.01, usual_seconds)
