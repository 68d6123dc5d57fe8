"""Who the candidates are, by the names that commands and tests take."""

from __future__ import annotations

from typing import Final

from bench.candidates.port import Making
from bench.candidates.through_aiohttp import AiohttpTransport
from bench.candidates.through_pyreqwest import PyreqwestTransport
from service.systems.transport import Http1Transport

OURS: Final = "ours"
CANDIDATES: Final[dict[str, Making]] = {
    OURS: Http1Transport,
    "aiohttp": AiohttpTransport,
    "pyreqwest": PyreqwestTransport,
}
