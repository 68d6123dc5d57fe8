"""`holdings-relay run` with a defect: an event of the source `/blocks` holds its loop up for as long as its id says,
in seconds. For tests of what notices that.

    python -m tests.support.blocked_relay
"""

from __future__ import annotations

import time
from typing import Any
from unittest import mock

from service import routes
from service.commands.run import run
from service.domain.operations import Plan
from service.domain.outcomes import Rejection
from service.domain.record import Record


def interpret(record: Record, **settings: Any) -> Plan | Rejection:
    plan = routes.interpret(record, **settings)
    if plan.event.source == "/blocks":
        time.sleep(float(plan.event.id or 0))
    return plan


if __name__ == "__main__":
    with mock.patch("service.app.interpret", interpret):
        run()
