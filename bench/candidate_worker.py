"""The ordinary worker over another transport, as `holdings-relay run` composes it but for that.

    python -m bench.candidate_worker aiohttp

The settings are the worker's.
"""

from __future__ import annotations

import argparse

from bench.candidates.catalogue import CANDIDATES
from service.app import Relay
from service.commands.run import run_composed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("transport", choices=CANDIDATES)
    opening = CANDIDATES[parser.parse_args().transport]
    run_composed(lambda settings: Relay(settings, opening()))


if __name__ == "__main__":
    main()
