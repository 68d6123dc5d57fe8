"""eholdings steps, call by call: what is sent, and what the answers come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import pytest

from service.domain.answers import Answer, Denial, Denied, Finding, Settled, Stumbled, Verdict, succeeded, unchanged
from service.domain.codes import Code
from service.domain.jsonvalue import JsonValue
from service.domain.operations import AddResource, DeselectResource, EholdingsStep, RemoveResource, UpdateResource
from service.systems.eholdings import Eholdings
from service.systems.eholdings_calls import BULK_FETCH_LIMIT, BulkFetched
from tests.unit.systems.recording_calls import RecordingCalls
from tests.unit.systems.scripted import TENANT, Scripted, ScriptedTransport, answer, context, gateway

ID = "22-1-2"
PATH = f"/base/eholdings/resources/{ID}"
BROKEN = {"errors": [{"title": "Internal Server Error"}]}
APPLIED_BEFORE = "applied by an earlier attempt whose answer was lost"


def document(tags: Sequence[str] = (), **attributes: JsonValue) -> httpx.Response:
    """The answer to GET, PUT and POST: a selected title without customisation, but for what is given."""
    defaults = {"isSelected": True, "name": "Title 2", "customCoverages": [], "tags": {"tagList": list(tags)}}
    return answer(200, {"data": {"id": ID, "attributes": {**defaults, **attributes}}})


def missing() -> httpx.Response:
    return answer(404, {"errors": [{"title": "Title is no longer in this package"}]})


async def carry_out(
    step: EholdingsStep, *answers: Scripted, uncertain: bool = False, calls: RecordingCalls | None = None
) -> tuple[Answer, ScriptedTransport]:
    transport = ScriptedTransport(*answers)
    adapter = Eholdings(gateway(transport, "eholdings", observer=calls), 30.0)
    result = await adapter.attempt(step, context(uncertain=uncertain))
    assert transport.answers == [], "a call that was expected was not made"
    return result, transport


def finding_of(result: Answer) -> Finding:
    assert isinstance(result, Settled), result
    [finding] = result.findings
    return finding


def update(tags: tuple[str, ...] | None = None, **attributes: JsonValue) -> UpdateResource:
    return UpdateResource(TENANT, ID, attributes, tags)


async def test_an_update_reads_and_puts_in_the_systems_media_type() -> None:
    result, transport = await carry_out(update(coverageStatement="new"), document(), document(coverageStatement="new"))

    assert result == Settled((succeeded(200),))
    assert transport.calls == [f"GET {PATH}", f"PUT {PATH}"]
    assert transport.requests[1].headers["Content-Type"] == "application/vnd.api+json"
    assert {request.headers["Accept"] for request in transport.requests} == {"application/vnd.api+json"}
    assert transport.body(1) == {
        "data": {
            "type": "resources",
            "attributes": {"isSelected": True, "customCoverages": [], "coverageStatement": "new"},
        }
    }


async def test_no_put_is_sent_when_the_state_is_as_wanted() -> None:
    result, transport = await carry_out(update(coverageStatement="same", url=None), document(coverageStatement="same"))

    assert result == Settled((unchanged(200),))
    assert transport.calls == [f"GET {PATH}"]


@pytest.mark.parametrize(
    ("step", "state", "saved"),
    [
        (update(coverageStatement="same"), document(coverageStatement="same"), ["put"]),
        (update(("a",), coverageStatement="same"), document(["a"], coverageStatement="same"), ["put", "put-tags"]),
        (update(("a",)), document(["a"]), ["put-tags"]),
        (DeselectResource(TENANT, ID), document(isSelected=False), ["put"]),
    ],
)
async def test_each_call_that_would_have_changed_nothing_is_told_as_saved(
    step: EholdingsStep, state: httpx.Response, saved: list[str]
) -> None:
    calls = RecordingCalls()

    await carry_out(step, state, calls=calls)

    assert calls.saved == [("eholdings", operation) for operation in saved]


async def test_a_call_that_was_made_is_not_told_as_saved() -> None:
    calls = RecordingCalls()

    await carry_out(update(coverageStatement="new"), document(), document(coverageStatement="new"), calls=calls)

    assert calls.saved == []


async def test_a_state_as_wanted_after_a_lost_answer_is_a_success() -> None:
    result, _ = await carry_out(update(coverageStatement="x"), document(coverageStatement="x"), uncertain=True)

    assert result == Settled((succeeded(200, APPLIED_BEFORE),))


async def test_what_the_system_did_not_take_is_told() -> None:
    result, _ = await carry_out(
        update(url="https://new.example", coverageStatement="new"),
        document(url="https://old.example"),
        document(url="https://old.example", coverageStatement="new"),
        document(url="https://old.example", coverageStatement="new"),
    )

    finding = finding_of(result)
    assert (finding.code, finding.status) == (Code.SKIPPED, 200)
    assert finding.message == "answered 200 but did not take: url"


async def test_an_answer_without_attributes_is_followed_by_a_read() -> None:
    result, transport = await carry_out(
        update(coverageStatement="new"), document(), answer(200), document(coverageStatement="new")
    )

    assert result == Settled((succeeded(200),))
    assert transport.calls[2] == f"GET {PATH}"


async def test_a_read_back_that_stumbles_leaves_it_open() -> None:
    result, _ = await carry_out(update(coverageStatement="new"), document(), answer(200), answer(503, "down"))

    assert isinstance(result, Stumbled)
    assert (result.status, result.uncertain) == (503, True)


async def test_tags_go_out_with_the_title_when_they_differ() -> None:
    result, transport = await carry_out(update(("b", "a", "b")), document(["a"]), answer(200, {}))

    assert result == Settled((succeeded(200),))
    assert transport.calls[1] == f"PUT {PATH}/tags"
    assert transport.body(1) == {
        "data": {"type": "tags", "attributes": {"name": "Title 2", "tags": {"tagList": ["b", "a"]}}}
    }


@pytest.mark.parametrize("tags", [None, ("a", "b"), ("b", "a")])
async def test_tags_that_hold_already_are_left_alone(tags: tuple[str, ...] | None) -> None:
    result, _ = await carry_out(update(tags), document(["a", "b"]))

    assert result == Settled((unchanged(200),))


async def test_no_tags_are_a_wish_too() -> None:
    _, transport = await carry_out(update(()), document(["a"]), answer(200, {}))

    assert transport.body(1)["data"]["attributes"]["tags"] == {"tagList": []}


async def test_tags_that_are_refused_after_the_attributes_say_so() -> None:
    refusal = answer(422, {"errors": [{"title": "Invalid name", "detail": "too long"}]})
    result, _ = await carry_out(update(("a",), url=None), document(url="u"), document(), refusal)

    finding = finding_of(result)
    assert (finding.verdict, finding.code) == (Verdict.FAILED, Code.REFUSED)
    assert finding.message == "the attributes were applied; then: Invalid name: too long"


async def test_tags_that_stumble_after_the_attributes_leave_the_step_half_done() -> None:
    result, _ = await carry_out(update(("a",), url=None), document(url="u"), document(), httpx.ConnectError("refused"))

    assert isinstance(result, Stumbled)
    assert result.uncertain


async def test_a_put_that_fails_because_the_title_has_left_the_package_is_final() -> None:
    result, _ = await carry_out(update(coverageStatement="new"), document(), answer(500, BROKEN), missing())

    finding = finding_of(result)
    assert (finding.code, finding.status) == (Code.REFUSED, 404)
    assert finding.message == "Title is no longer in this package"


async def test_a_put_that_fails_while_the_title_is_there_is_repeated_later() -> None:
    result, _ = await carry_out(update(coverageStatement="new"), document(), answer(500, BROKEN), document())

    assert isinstance(result, Stumbled)
    assert (result.status, result.uncertain, result.message) == (500, True, "Internal Server Error")


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_only_a_500_is_looked_into(status: int) -> None:
    result, transport = await carry_out(update(url=None), document(url="u"), answer(status, BROKEN))

    assert isinstance(result, Stumbled)
    assert len(transport.calls) == 2


async def test_a_deselection_is_bare_and_checked() -> None:
    result, transport = await carry_out(
        DeselectResource(TENANT, ID), document(coverageStatement="x"), document(isSelected=False)
    )

    assert result == Settled((succeeded(200),))
    assert transport.body(1)["data"]["attributes"] == {"isSelected": False}


async def test_a_deselection_that_holds_already_changes_nothing() -> None:
    result, _ = await carry_out(DeselectResource(TENANT, ID), document(isSelected=False))

    assert result == Settled((unchanged(200),))


@pytest.mark.parametrize("status", [404, 500])
@pytest.mark.parametrize("step", [DeselectResource(TENANT, ID), update(isSelected=False)])
async def test_a_custom_title_is_gone_once_it_is_deselected(step: EholdingsStep, status: int) -> None:
    result, _ = await carry_out(step, document(), answer(status, BROKEN), missing())

    finding = finding_of(result)
    assert (finding.verdict, finding.status) == (Verdict.SUCCEEDED, 404)


@pytest.mark.parametrize("status", [404, 500])
async def test_a_deselection_that_failed_with_the_title_still_there_is_repeated_later(status: int) -> None:
    result, _ = await carry_out(DeselectResource(TENANT, ID), document(), answer(status, BROKEN), document())

    assert isinstance(result, Stumbled)


@pytest.mark.parametrize("step", [DeselectResource(TENANT, ID), update(isSelected=False)])
async def test_a_title_that_is_not_there_was_deselected_by_the_lost_attempt_or_never_was(step: EholdingsStep) -> None:
    before, _ = await carry_out(step, missing())
    after, _ = await carry_out(step, missing(), uncertain=True)

    assert (finding_of(before).code, finding_of(after).verdict) == (Code.REFUSED, Verdict.SUCCEEDED)


def add(
    tags: tuple[str, ...] | None = None, url: str | None = "https://a.example", **attributes: JsonValue
) -> AddResource:
    return AddResource(TENANT, "22-1", "2", url, attributes, tags)


async def test_an_addition_posts_and_then_puts_what_the_post_cannot_carry() -> None:
    result, transport = await carry_out(
        add(("t",), coverageStatement="c"),
        document(url="https://a.example"),
        document(url="https://a.example", coverageStatement="c"),
        answer(200, {}),
    )

    assert result == Settled((succeeded(200),))
    assert transport.calls == ["POST /base/eholdings/resources", f"PUT {PATH}", f"PUT {PATH}/tags"]
    assert transport.body(0) == {
        "data": {
            "type": "resources",
            "attributes": {"packageId": "22-1", "titleId": "2", "url": "https://a.example"},
        }
    }


async def test_an_addition_without_more_to_say_is_one_call() -> None:
    result, transport = await carry_out(add(url=None), document())

    assert result == Settled((succeeded(200),))
    assert transport.body(0)["data"]["attributes"] == {"packageId": "22-1", "titleId": "2"}


ALREADY = {"errors": [{"title": "Invalid Title", "detail": "Package already associated with Title"}]}


async def test_a_title_that_is_there_already_is_brought_to_the_intent() -> None:
    result, transport = await carry_out(
        add(url=None, coverageStatement="c"), answer(422, ALREADY), document(), document(coverageStatement="c")
    )

    assert result == Settled((succeeded(200),))
    assert transport.calls[1:] == [f"GET {PATH}", f"PUT {PATH}"]


async def test_a_title_that_was_added_by_a_lost_attempt_is_a_success() -> None:
    before, _ = await carry_out(add(url=None), answer(422, ALREADY), document())
    after, _ = await carry_out(add(url=None), answer(422, ALREADY), document(), uncertain=True)

    assert before == Settled((unchanged(200),))
    assert after == Settled((succeeded(200, APPLIED_BEFORE),))


@pytest.mark.parametrize("state", [document(isSelected=False), missing()])
async def test_a_title_said_to_be_there_that_is_not_stays_refused(state: httpx.Response) -> None:
    result, _ = await carry_out(add(url=None), answer(422, ALREADY), state)

    finding = finding_of(result)
    assert (finding.code, finding.status) == (Code.REFUSED, 422)


async def test_another_422_is_final() -> None:
    body = {"errors": [{"title": "Invalid PackageId", "detail": "Cannot associate Title with a managed Package"}]}

    assert finding_of((await carry_out(add(), answer(422, body)))[0]).status == 422


async def test_a_put_that_stumbles_after_the_post_leaves_it_open() -> None:
    result, _ = await carry_out(add(coverageStatement="c"), document(), httpx.ConnectError("refused"))

    assert isinstance(result, Stumbled)
    assert result.uncertain


async def test_a_removal_is_a_delete() -> None:
    result, transport = await carry_out(RemoveResource(TENANT, ID), answer(204))

    assert result == Settled((succeeded(204),))
    assert transport.calls == [f"DELETE {PATH}"]


@pytest.mark.parametrize("answers", [(missing,), (lambda: answer(500, BROKEN), missing)])
async def test_a_title_that_cannot_be_removed_for_it_is_not_there(answers: Sequence[Any]) -> None:
    before, _ = await carry_out(RemoveResource(TENANT, ID), *(make() for make in answers))
    after, _ = await carry_out(RemoveResource(TENANT, ID), *(make() for make in answers), uncertain=True)

    assert (finding_of(before).code, finding_of(before).status) == (Code.REFUSED, 404)
    assert finding_of(after).verdict is Verdict.SUCCEEDED


async def test_a_removal_that_failed_with_the_title_still_there_is_repeated_later() -> None:
    result, _ = await carry_out(RemoveResource(TENANT, ID), answer(500, BROKEN), document())

    assert isinstance(result, Stumbled)
    assert (result.status, result.uncertain) == (500, True)


async def test_a_spent_quota_is_denied_even_at_the_read() -> None:
    result, _ = await carry_out(update(url=None), answer(429, {"errors": [{"title": "Too Many Requests"}]}))

    assert isinstance(result, Denied)
    assert result.reason is Denial.QUOTA


async def test_a_user_without_knowledge_base_is_no_missing_title() -> None:
    body = {"errors": [{"title": "KB Credentials do not exist or user with userId = 1 is not assigned to any"}]}
    result, _ = await carry_out(DeselectResource(TENANT, ID), answer(404, body), uncertain=True)

    assert isinstance(result, Denied)
    assert result.reason is Denial.CREDENTIALS


async def test_many_resources_are_fetched_by_one_call_with_the_failed_told_apart() -> None:
    found: Mapping[str, JsonValue] = {"id": ID, "type": "resources", "attributes": {"name": "Title 2"}}
    transport = ScriptedTransport(answer(200, {"included": [found], "meta": {"failed": {"resources": ["1-1-1"]}}}))

    fetched = await Eholdings(gateway(transport), 30.0).fetch_many(TENANT, [ID, "1-1-1", ID])

    assert fetched == BulkFetched((found,), ("1-1-1",))
    assert transport.body(0) == {"resources": [ID, "1-1-1"]}


async def test_more_than_the_limit_is_not_even_asked() -> None:
    with pytest.raises(ValueError, match="at most 20 ids, not 21"):
        await Eholdings(gateway(ScriptedTransport()), 30.0).fetch_many(
            TENANT, [f"1-1-{number}" for number in range(BULK_FETCH_LIMIT + 1)]
        )


async def test_a_resource_can_be_looked_at_as_it_is() -> None:
    transport = ScriptedTransport(document(), missing())
    adapter = Eholdings(gateway(transport), 30.0)

    assert isinstance(await adapter.fetch(TENANT, ID), Mapping)
    assert isinstance(await adapter.fetch(TENANT, ID), Finding)
