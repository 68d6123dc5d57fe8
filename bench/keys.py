"""Which entity each event touches: numbers below the number of keys, drawn from a seed. Pure."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from itertools import accumulate
from typing import Final, TypeAlias

Draw: TypeAlias = Callable[[int, int, int], list[int]]
"""(count, keys, seed) to the key of each event."""

EXPONENT: Final = 1.0


def uniform(count: int, keys: int, seed: int) -> list[int]:
    """Each key as often as any other, in a random order. Of more keys than events, no key twice."""
    drawing = random.Random(seed)  # noqa: S311 - has to be the same each time
    if count < keys:
        return drawing.sample(range(keys), count)
    order = [index % keys for index in range(count)]
    drawing.shuffle(order)
    return order


def zipf(count: int, keys: int, seed: int) -> list[int]:
    """Key n is n+1 times as rare as key 0."""
    cumulated = list(accumulate(1 / (rank + 1) ** EXPONENT for rank in range(keys)))
    return random.Random(seed).choices(range(keys), cum_weights=cumulated, k=count)  # noqa: S311 - as above


def hottest_share(draw: Draw, keys: int) -> float:
    """Of all events, how many touch the key that is touched most, in the long run."""
    return 1 / keys if draw is uniform else 1 / sum(1 / (rank + 1) ** EXPONENT for rank in range(keys))


DRAWS: Final[Mapping[str, Draw]] = {"uniform": uniform, "zipf": zipf}
