"""Calls that decide nothing: what they are called, and how they become an answer to the engine. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from service.domain.answers import Denial, Denied, Finding, Stumbled
from service.domain.jsonvalue import JsonObject
from service.domain.operations import Step, asked_of
from service.systems.http import Lost, NotSent, Reply


@dataclass(frozen=True, slots=True)
class CredentialsRefused:
    """The system takes no call with these credentials: 401, 403, or a refused login."""

    status: int | None
    message: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a call did not decide anything. `uncertain`: it may have been carried out. `denial`: nothing will be taken
    for now."""

    message: str
    status: int | None = None
    retry_after_seconds: float | None = None
    uncertain: bool = False
    denial: Denial | None = None

    def answer(self, step: Step, findings: Sequence[Finding | None] | None = None) -> Stumbled | Denied:
        """The engine's answer for a step of which all is left to do, or for what is left of it: then `step` is the
        remainder and `findings` belong to the step that was attempted."""
        known = tuple(findings) if findings is not None else (None,) * len(asked_of(step))
        if self.denial is not None:
            return Denied(self.denial, step, known, self.status, self.message, self.retry_after_seconds)
        return Stumbled(step, known, self.status, self.message, self.retry_after_seconds, self.uncertain)

    def after_a_change(self) -> Trouble:
        """The same trouble when something of the step has been applied already."""
        return replace(self, uncertain=True)


CallResult: TypeAlias = Reply | NotSent | Lost | CredentialsRefused

_PASSING_CLIENT_ERRORS: Final = frozenset({408, 409, 425, 429})
"""4xx that say nothing about the request itself."""


def trouble_of(result: CallResult, *, changes: bool) -> Trouble | None:
    """The trouble with a call, or None when its answer decides: 2xx and the 4xx that are final.

    `changes` says that the call changes something, so that it may have been carried out although the answer does not
    tell.
    """
    if isinstance(result, Reply) and 200 <= result.status < 300:
        return None
    match result:
        case NotSent():
            return Trouble(result.message, result.status, result.retry_after_seconds)
        case Lost():
            return Trouble(result.message, uncertain=changes)
        case CredentialsRefused():
            return Trouble(result.message, result.status, denial=Denial.CREDENTIALS)
        case Reply(status=401 | 403):
            return Trouble(result.words, result.status, denial=Denial.CREDENTIALS)
        case Reply():
            return _trouble_of_reply(result, changes)


def _trouble_of_reply(reply: Reply, changes: bool) -> Trouble | None:
    if reply.status in _PASSING_CLIENT_ERRORS:
        return Trouble(reply.words, reply.status, reply.retry_after_seconds)
    if 400 <= reply.status < 500:
        return None
    return Trouble(reply.words, reply.status, reply.retry_after_seconds, uncertain=changes)


def unreadable(reply: Reply, system: str, *, changes: bool) -> Trouble:
    """A 2xx whose body is not what the system answers with: something else spoke, so nothing is known."""
    kind = reply.headers.get("content-type", "no content type")
    return Trouble(f"{system}: unreadable answer under {reply.status} ({kind[:100]})", reply.status, uncertain=changes)


def mapping_of(reply: Reply) -> JsonObject | None:
    """The decoded body when it is an object."""
    content = reply.json()
    return content if isinstance(content, dict) else None
