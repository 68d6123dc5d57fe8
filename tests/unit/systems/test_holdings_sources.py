"""Holdings sources: names resolved once for all who ask, and steps that look before they change."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.answers import Answer, Finding, Settled, Stumbled, Verdict, succeeded, unchanged
from service.domain.codes import Code
from service.domain.operations import DeleteHoldingsSource, HoldingsSourceStep, UpsertHoldingsSource
from service.engine.ports import OwnershipLost
from service.systems.holdings_sources import CACHE_SECONDS, Absent, HoldingsSources, escaped
from service.systems.trouble import Trouble
from tests.unit.systems.scripted import TENANT, FakeTime, Scripted, ScriptedTransport, answer, context, gateway

LOOK_UP = "GET /base/holdings-sources?query=name%3D%3D%22Mine%22&limit=10"
DUPLICATE = {"errors": [{"message": "lower(f_unaccent(jsonb ->> 'name'::text)) value already exists in table: mine"}]}
APPLIED_BEFORE = "applied by an earlier attempt whose answer was lost"


def found(*sources: tuple[str, str, str]) -> httpx.Response:
    """What a look-up answers: (id, name, source)."""
    records = [{"id": i, "name": name, "source": source, "metadata": {}} for i, name, source in sources]
    return answer(200, {"holdingsRecordsSources": records, "totalRecords": len(records)})


def mine(source: str = "local") -> httpx.Response:
    return found(("s1", "Mine", source))


def sources_of(
    *answers: Scripted, create_missing: bool = False, time: FakeTime | None = None
) -> tuple[HoldingsSources, ScriptedTransport]:
    transport = ScriptedTransport(*answers)
    clocks = (time or FakeTime()).clocks
    folio = gateway(transport, "holdings-sources", tenants=(TENANT, "other"))
    return HoldingsSources(folio, read_seconds=15.0, create_missing=create_missing, clocks=clocks), transport


async def carry_out(
    step: HoldingsSourceStep, *answers: Scripted, uncertain: bool = False
) -> tuple[Answer, ScriptedTransport]:
    sources, transport = sources_of(*answers)
    result = await sources.attempt(step, context(uncertain=uncertain))
    assert transport.answers == [], "a call that was expected was not made"
    return result, transport


def upsert(source: str = "local") -> UpsertHoldingsSource:
    return UpsertHoldingsSource(TENANT, "Mine", source)


DELETE = DeleteHoldingsSource(TENANT, "Mine")


async def test_a_source_that_is_not_there_is_created() -> None:
    result, transport = await carry_out(upsert(), found(), answer(201, {"id": "s1", "name": "Mine"}))

    assert result == Settled((succeeded(201),))
    assert transport.calls == [LOOK_UP, "POST /base/holdings-sources"]
    assert transport.body(1) == {"name": "Mine", "source": "local"}


async def test_a_source_that_is_as_wanted_is_left_alone() -> None:
    before, _ = await carry_out(upsert(), mine())
    after, _ = await carry_out(upsert(), mine(), uncertain=True)

    assert before == Settled((unchanged(200),))
    assert after == Settled((succeeded(200, APPLIED_BEFORE),))


async def test_a_source_that_differs_is_put() -> None:
    result, transport = await carry_out(upsert("consortium"), mine("local"), answer(204))

    assert result == Settled((succeeded(204),))
    assert transport.calls[1] == "PUT /base/holdings-sources/s1"
    assert transport.body(1) == {"id": "s1", "name": "Mine", "source": "consortium"}


async def test_a_source_of_the_system_itself_is_not_touched() -> None:
    result, _ = await carry_out(upsert("local"), mine("folio"))

    assert isinstance(result, Settled)
    assert result.findings[0].code is Code.REFUSED


async def test_a_name_that_someone_else_took_meanwhile_is_read_and_gone_on_with() -> None:
    same, _ = await carry_out(upsert("local"), found(), answer(422, DUPLICATE), mine("local"))
    other, transport = await carry_out(
        upsert("local"), found(), answer(422, DUPLICATE), mine("consortium"), answer(204)
    )

    assert same == Settled((unchanged(200),))
    assert other == Settled((succeeded(204),))
    assert transport.calls[-1] == "PUT /base/holdings-sources/s1"


async def test_a_duplicate_that_cannot_be_found_is_worth_another_attempt() -> None:
    result, _ = await carry_out(upsert(), found(), answer(422, DUPLICATE), found())

    assert isinstance(result, Stumbled)


async def test_another_422_is_final() -> None:
    body = {"errors": [{"message": "must not be null", "parameters": [{"key": "name"}]}]}
    result, _ = await carry_out(upsert(), found(), answer(422, body))

    assert isinstance(result, Settled)
    assert (result.findings[0].code, result.findings[0].message) == (Code.REFUSED, "must not be null (name)")


async def test_a_put_to_a_source_that_was_deleted_meanwhile_is_worth_another_attempt() -> None:
    result, _ = await carry_out(upsert("consortium"), mine(), answer(404, "Not found"))

    assert isinstance(result, Stumbled)


async def test_a_source_is_looked_up_before_it_is_deleted() -> None:
    result, transport = await carry_out(DELETE, mine(), answer(204))

    assert result == Settled((succeeded(204),))
    assert transport.calls == [LOOK_UP, "DELETE /base/holdings-sources/s1"]


@pytest.mark.parametrize("answers", [(found(),), (mine(), answer(404, "Not found"))])
async def test_a_source_that_is_not_there_needs_no_deletion(answers: tuple[Scripted, ...]) -> None:
    before, _ = await carry_out(DELETE, *answers)
    after, _ = await carry_out(DELETE, *answers, uncertain=True)

    assert isinstance(before, Settled)
    assert before.findings[0].verdict is Verdict.UNCHANGED
    assert isinstance(after, Settled)
    assert after.findings[0].verdict is Verdict.SUCCEEDED


@pytest.mark.parametrize(
    "words",
    [
        "Holdings Records Sources with source of folio can not be deleted",
        "Cannot delete holdings_records_source.id = s1 because id is still referenced from table holdings_record.",
    ],
)
async def test_what_the_system_does_not_delete_is_refused_in_its_words(words: str) -> None:
    result, _ = await carry_out(DELETE, mine("folio"), answer(400, words))

    assert isinstance(result, Settled)
    assert (result.findings[0].code, result.findings[0].message) == (Code.REFUSED, words)


async def test_a_name_is_resolved_once_for_all_who_ask() -> None:
    sources, transport = sources_of(mine())

    ids = await asyncio.gather(*(sources.resolve(TENANT, name, None) for name in ("Mine", "MINE", "Míne") * 20))

    assert set(ids) == {"s1"}
    assert len(transport.calls) == 1


async def test_a_resolved_name_is_remembered_for_a_while() -> None:
    time = FakeTime()
    sources, transport = sources_of(mine(), mine(), time=time)

    for seconds, calls in ((0, 1), (CACHE_SECONDS - 1, 1), (1, 2)):
        time.now += seconds
        await sources.resolve(TENANT, "Mine", None)
        assert len(transport.calls) == calls


async def test_a_name_that_is_not_there_is_asked_for_each_time() -> None:
    sources, transport = sources_of(found(), mine())

    assert await sources.resolve(TENANT, "Mine", None) == Absent()
    assert await sources.resolve(TENANT, "Mine", None) == "s1"
    assert len(transport.calls) == 2


async def test_trouble_is_not_remembered() -> None:
    sources, _ = sources_of(answer(503, "down"), mine())

    assert isinstance(await sources.resolve(TENANT, "Mine", None), Trouble)
    assert await sources.resolve(TENANT, "Mine", None) == "s1"


async def test_tenants_have_sources_of_their_own() -> None:
    sources, transport = sources_of(mine(), found(("s9", "Mine", "local")))

    assert await sources.resolve(TENANT, "Mine", None) == "s1"
    assert await sources.resolve("other", "Mine", None) == "s9"
    assert [request.headers["X-Okapi-Tenant"] for request in transport.requests] == [TENANT, "other"]


async def test_a_caller_that_is_cancelled_does_not_end_the_look_up_of_the_others() -> None:
    sources, transport = sources_of(mine())
    first = asyncio.create_task(sources.resolve(TENANT, "Mine", None))
    second = asyncio.create_task(sources.resolve(TENANT, "Mine", None))
    await asyncio.sleep(0)

    first.cancel()

    assert await second == "s1"
    assert len(transport.calls) == 1


async def test_a_caller_whose_partition_was_lost_does_not_end_the_look_up_of_the_others() -> None:
    sources, transport = sources_of(mine())

    async def lost() -> None:
        raise OwnershipLost("lost")

    first = asyncio.create_task(sources.resolve(TENANT, "Mine", None, lost))
    second = asyncio.create_task(sources.resolve(TENANT, "Mine", None))

    with pytest.raises(OwnershipLost, match="lost"):
        await first
    assert await second == "s1"
    assert len(transport.calls) == 1


@pytest.mark.parametrize("step", [upsert(), DELETE])
async def test_our_own_change_makes_a_name_asked_for_anew(step: HoldingsSourceStep) -> None:
    sources, transport = sources_of(mine(), mine(), answer(204), mine())
    if isinstance(step, UpsertHoldingsSource):
        transport.answers.pop(2)
    await sources.resolve(TENANT, "Mine", None)

    await sources.attempt(step, context())
    await sources.resolve(TENANT, "Mine", None)

    assert transport.answers == []


async def test_an_answer_that_was_under_way_when_the_name_was_forgotten_is_not_remembered() -> None:
    sources, transport = sources_of(mine(), found(("s2", "Mine", "local")))
    early = asyncio.create_task(sources.resolve(TENANT, "Mine", None))
    await asyncio.sleep(0)

    sources.forget(TENANT, "Mine")

    assert await early == "s1"
    assert await sources.resolve(TENANT, "Mine", None) == "s2"
    assert len(transport.calls) == 2


async def test_a_missing_source_is_created_when_that_is_allowed() -> None:
    sources, transport = sources_of(
        found(), answer(201, {"id": "s7", "name": "Mine", "source": "local"}), create_missing=True
    )

    assert await sources.resolve(TENANT, "Mine", None) == "s7"
    assert transport.body(1) == {"name": "Mine", "source": "local"}


async def test_a_missing_source_that_someone_else_created_meanwhile_is_read() -> None:
    sources, _ = sources_of(found(), answer(422, DUPLICATE), mine(), create_missing=True)

    assert await sources.resolve(TENANT, "Mine", None) == "s1"


async def test_a_creation_that_is_refused_is_told() -> None:
    sources, _ = sources_of(found(), answer(400, "no"), create_missing=True)

    refused = await sources.resolve(TENANT, "Mine", None)

    assert isinstance(refused, Finding)
    assert refused.message == "no"


async def test_of_several_that_match_the_name_as_written_counts() -> None:
    sources, _ = sources_of(found(("s1", "MINE", "local"), ("s2", "Mine", "local")))

    assert await sources.resolve(TENANT, "Mine", None) == "s2"


@pytest.mark.parametrize(
    ("name", "term"),
    [
        ("plain", "plain"),
        ('say "x"', 'say \\"x\\"'),
        ("a*b?c^d", "a\\*b\\?c\\^d"),
        ("back\\slash", "back\\\\slash"),
    ],
)
def test_nothing_in_a_name_is_a_wildcard(name: str, term: str) -> None:
    assert escaped(name) == term


@given(st.text())
def test_an_escaped_name_cannot_end_its_quotes(name: str) -> None:
    term = escaped(name)

    inside = term.replace("\\\\", "").replace('\\"', "").replace("\\*", "").replace("\\?", "").replace("\\^", "")
    assert not set('"\\*?^') & set(inside)


@pytest.mark.parametrize("identifier", ["", ".", "..", "a/b", "x" * 101, "\u00e9"])
async def test_an_id_that_would_lead_elsewhere_is_not_put_in_a_path(identifier: str) -> None:
    result, transport = await carry_out(DELETE, found((identifier, "Mine", "local")))

    assert isinstance(result, Stumbled)
    assert transport.calls == [LOOK_UP]
