"""How one worker stands, for people and their tools: a snapshot, as a page of HTML and as JSON. Reads only."""

from __future__ import annotations

from service.telemetry.status.page import CONTENT_SECURITY_POLICY, render
from service.telemetry.status.snapshot import Status
from service.telemetry.status.told import to_json

__all__ = ["CONTENT_SECURITY_POLICY", "Status", "render", "to_json"]
