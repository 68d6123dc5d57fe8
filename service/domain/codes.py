"""The stable words that say why an operation failed. `docs/codes.md` explains each to people."""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """Part of the public contract: a word is never renamed, a new one is added only where none of these fits."""

    UNREADABLE = "unreadable"
    UNKNOWN_TYPE = "unknown-type"
    TOO_LARGE = "too-large"
    INVALID_DATA = "invalid-data"
    SYSTEM_NOT_CONFIGURED = "system-not-configured"
    TENANT_NOT_CONFIGURED = "tenant-not-configured"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"
    OUTCOME_UNKNOWN = "outcome-unknown"
    SKIPPED = "skipped"
    NOT_ATTEMPTED = "not-attempted"
