"""Neither the key nor what a link is signed with is told by anything that an export leaves behind, however it ends."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable

import httpx
import pytest

from service.systems.downloads import Link
from service.systems.holdingsiq_records import record_of
from tests.builders.exports import LINK, kbart2, lines, record
from tests.unit.systems.exporting import API_KEY, EXISTING, cut_file, expired, file, shown, subject
from tests.unit.systems.scripted import Scripted, answer

SECRETS = ("SESAME", "0PEN", API_KEY)
ECHO = f"{LINK} x-api-key: {API_KEY}"


def downloads() -> list[Scripted]:
    """Every way in which a download can end, each with words that repeat the secrets."""
    return [
        file(kbart2(*lines(3), "broken")),
        expired(),
        answer(400, f"<Error><Code>X</Code><Message>{ECHO}</Message><StringToSign>{LINK}</StringToSign></Error>"),
        answer(404, ECHO),
        answer(503, ECHO),
        answer(302, None, {"Location": LINK}),
        answer(200, f"<html>{ECHO}"),
        cut_file(kbart2(*lines(3)), 60, httpx.ReadError(ECHO)),
        httpx.ConnectError(ECHO),
        httpx.ReadTimeout(ECHO),
        httpx.UnsupportedProtocol(ECHO),
    ]


@pytest.mark.parametrize("number", range(len(downloads())))
async def test_no_secret_is_told_however_a_download_ends(number: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    relay = subject(*([shown(), downloads()[number]] * 3))

    result = await relay.attempt(EXISTING)

    told = f"{result!r} {result} {relay.journal.notes} {relay.journal.published} {caplog.text}"
    assert not [secret for secret in SECRETS if secret in told]


API_ANSWERS: list[Callable[[], Scripted]] = [
    lambda: answer(400, {"message": ECHO}),
    lambda: answer(403, {"errors": [{"message": ECHO}]}),
    lambda: answer(429, {"message": ECHO}),
    lambda: answer(500, ECHO),
    lambda: shown(ECHO),
    lambda: shown(f"FAILED {ECHO}"),
    lambda: shown(links=[{"rel": "download", "href": f"no address {LINK}"}]),
]


@pytest.mark.parametrize("number", range(len(API_ANSWERS)))
async def test_no_secret_is_told_whatever_the_api_answers(number: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    result = await subject(API_ANSWERS[number]()).attempt(EXISTING)

    assert not [secret for secret in SECRETS if secret in f"{result!r} {caplog.text}"]


def test_a_record_does_not_show_its_link() -> None:
    found = record_of(record())

    assert found is not None
    assert isinstance(found.link, Link)
    assert found.link.reveal() == LINK
    shown_forms = f"{found!r} {found} {[getattr(found, field.name) for field in dataclasses.fields(found)]}"
    assert not [secret for secret in SECRETS if secret in shown_forms]
