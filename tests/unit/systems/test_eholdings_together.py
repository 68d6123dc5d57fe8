"""Updates of one resource that leave together, held to the same updates carried out one after the other."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.answers import Answer, Denied, Finding, Joint, Settled, Stumbled, Verdict, succeeded, unchanged
from service.domain.codes import Code
from service.domain.jsonvalue import JsonValue
from service.domain.operations import UpdateResource
from service.sandbox.eholdings import eholdings_state, resource
from service.sandbox.eholdings.system import Eholdings as SimulatedEholdings
from service.sandbox.exchange import Call
from service.systems.eholdings import Eholdings
from service.systems.eholdings_overlay import Resource, read_resource
from tests.unit.systems.recording_calls import RecordingCalls
from tests.unit.systems.scripted import TENANT, Scripted, ScriptedTransport, answer, context, gateway

ID: Final = "22-1-2"
PATH: Final = f"/base/eholdings/resources/{ID}"
HEADERS: Final = (("X-Okapi-Tenant", TENANT), ("Accept", "application/vnd.api+json"))
KNOWN, UNKNOWN = "f973c3b6-85fc-4d35-bda8-f31b568957bf", "00000000-0000-4000-8000-000000000001"
TOGETHER: Final = "sent as one with 1 more updates of the resource"


def update(tags: tuple[str, ...] | None = None, **attributes: JsonValue) -> UpdateResource:
    return UpdateResource(TENANT, ID, attributes, tags)


class Module(httpx.AsyncBaseTransport):
    """The simulated module without a socket. What `trouble` answers to the number of a request stands in the place of
    its answer: an error to be raised, or a status; negative when the module has carried the request out before."""

    def __init__(self, *, selected: bool, custom: bool, trouble: Callable[[int], int] = lambda number: 0) -> None:
        self.system = SimulatedEholdings()
        seeded = resource(ID, isSelected=selected, isPackageCustom=custom, isTitleCustom=custom, tags=["old"])
        self.system.load(eholdings_state(seeded, accessTypes={KNOWN: "Subscription"}))
        self.told = RecordingCalls()
        self.adapter = Eholdings(gateway(self, "eholdings", observer=self.told), 30.0)
        self.methods: list[str] = []
        self._trouble = trouble

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        self.methods.append(request.method)
        status = self._trouble(len(self.methods))
        if status > 0:
            return answer(status, {"errors": [{"title": "made to fail"}]})
        headers = tuple((name.decode(), value.decode()) for name, value in request.headers.raw)
        path = request.url.path.removeprefix("/base")
        reply = self.system.handle(Call(request.method, path, {}, headers, await request.aread(), TENANT))
        if status < 0:
            return answer(-status, {"errors": [{"title": "made to fail"}]})
        return httpx.Response(reply.status, content=reply.body)

    @property
    def calls_made_and_saved(self) -> Counter[str]:
        made = Counter(operation for _, operation, _ in self.told.told)
        return made + Counter(operation for _, operation in self.told.saved)

    @property
    def state(self) -> Resource | None:
        """Of the resource, as it compares: what was never set is the same as what was cleared."""
        reply = self.system.handle(Call("GET", f"/eholdings/resources/{ID}", {}, HEADERS, b"", TENANT))
        return read_resource(orjson.loads(reply.body))


async def one_by_one(module: Module, steps: Sequence[UpdateResource]) -> list[Finding]:
    return [await alone(module, step, uncertain=False) for step in steps]


async def alone(module: Module, step: UpdateResource, *, uncertain: bool) -> Finding:
    """As the engine repeats it."""
    while True:
        match await module.adapter.attempt(step, context(uncertain=uncertain)):
            case Settled((finding,)):
                return finding
            case Stumbled() as stumbled:
                uncertain |= stumbled.uncertain
            case other:
                raise AssertionError(other)


async def together(module: Module, steps: Sequence[UpdateResource]) -> list[Finding]:
    """As the engine does it: what is left over leads the next attempt, what failed together goes on one by one."""
    findings: list[Finding] = []
    while left := steps[len(findings) :]:
        if len(left) == 1:
            return [*findings, await alone(module, left[0], uncertain=False)]
        joint = await module.adapter.attempt_together(left, context())
        assert 1 <= joint.count <= len(left)
        if joint.findings:
            assert len(joint.findings) == joint.count
            findings += joint.findings
        elif joint.apart or joint.trouble is None:
            findings += [await alone(module, step, uncertain=joint.uncertain) for step in left[: joint.count]]
        elif isinstance(joint.trouble, Stumbled) and joint.trouble.uncertain:
            findings.append(await alone(module, left[0], uncertain=True))
    return findings


def worth(findings: Sequence[Finding]) -> list[tuple[bool, int | None, Code | None]]:
    """What they come to: `unchanged` is as good as `succeeded`."""
    failures = ((f.verdict is Verdict.FAILED, f) for f in findings)
    return [(failed, f.status if failed else None, f.code) for failed, f in failures]


TEXTS = st.sampled_from(("", "a", "b"))
PATCHES = st.fixed_dictionaries(
    {},
    optional={
        "isSelected": st.just(True),
        "coverageStatement": TEXTS | st.none(),
        "userDefinedField1": TEXTS,
        "isHidden": st.booleans(),
        "customCoverages": st.sampled_from(([], [{"beginCoverage": "2001-01-01", "endCoverage": "2003-12-31"}])),
        "customEmbargoPeriod": st.sampled_from((None, {"embargoUnit": "Days", "embargoValue": 6})),
        "url": st.sampled_from(("https://a.example", "https://b.example", "https//none")),
        "accessTypeId": st.sampled_from((None, KNOWN, UNKNOWN)),
        "proxyId": st.sampled_from(("one", "two")),
    },
)
DESELECTIONS = st.just({"isSelected": False})
TAGS = st.none() | st.sets(st.sampled_from(("old", "new"))).map(lambda tags: tuple(sorted(tags)))
UPDATES = st.lists(
    st.builds(lambda patch, tags: UpdateResource(TENANT, ID, patch, tags), PATCHES | PATCHES | DESELECTIONS, TAGS),
    min_size=2,
    max_size=6,
)


@given(steps=UPDATES, selected=st.booleans(), custom=st.booleans())
def test_together_they_leave_the_resource_as_one_by_one_and_each_has_the_same_fate(
    steps: list[UpdateResource], selected: bool, custom: bool
) -> None:
    singly, jointly = (Module(selected=selected, custom=custom) for _ in range(2))

    expected = asyncio.run(one_by_one(singly, steps))
    found = asyncio.run(together(jointly, steps))

    assert jointly.state == singly.state
    if not any(finding.verdict is Verdict.FAILED for finding in expected):
        assert [finding.verdict for finding in found] == [finding.verdict for finding in expected]
    assert worth(found) == worth(expected)
    if not custom and not any(finding.verdict is Verdict.FAILED for finding in expected):
        assert jointly.calls_made_and_saved == singly.calls_made_and_saved


@given(
    steps=UPDATES,
    custom=st.booleans(),
    troubles=st.dictionaries(st.integers(1, 12), st.sampled_from((503, -503, 500, -500)), max_size=4),
)
def test_whatever_answers_are_lost_they_end_as_one_by_one(
    steps: list[UpdateResource], custom: bool, troubles: dict[int, int]
) -> None:
    singly = Module(selected=True, custom=custom)
    jointly = Module(selected=True, custom=custom, trouble=lambda number: troubles.get(number, 0))

    expected = asyncio.run(one_by_one(singly, steps))
    found = asyncio.run(together(jointly, steps))

    assert jointly.state == singly.state
    assert worth(found) == worth(expected)


@given(changes=st.lists(TEXTS, min_size=2, max_size=30))
def test_however_many_describe_a_resource_anew_one_read_and_at_most_one_put_do_for_all(changes: list[str]) -> None:
    module = Module(selected=True, custom=False)

    asyncio.run(together(module, [update(coverageStatement=text) for text in changes]))

    assert module.methods == (["GET", "PUT"] if changes[-1] else ["GET"])
    assert module.told.batches == [("eholdings", len(changes))]


def document(tags: Sequence[str] = (), **attributes: JsonValue) -> httpx.Response:
    defaults = {"isSelected": True, "name": "Title 2", "customCoverages": [], "tags": {"tagList": list(tags)}}
    return answer(200, {"data": {"id": ID, "attributes": {**defaults, **attributes}}})


async def joint_of(*answers: Scripted, steps: Sequence[UpdateResource]) -> tuple[Joint, list[str]]:
    transport = ScriptedTransport(*answers)
    joint = await Eholdings(gateway(transport, "eholdings"), 30.0).attempt_together(steps, context())
    assert transport.answers == [], "a call that was expected was not made"
    return joint, transport.calls


TWO: Final = (update(coverageStatement="a"), update(coverageStatement="b", userDefinedField1="x"))
AFTER_TWO: Final = {"coverageStatement": "b", "userDefinedField1": "x"}


async def test_each_update_is_told_of_as_its_own_and_one_without_effect_as_unchanged() -> None:
    joint, calls = await joint_of(
        document(coverageStatement="a"), document(coverageStatement="a", userDefinedField1="x"),
        steps=(update(coverageStatement="a"), update(userDefinedField1="x"), update(userDefinedField1="x")),
    )  # fmt: skip

    together_with_two = succeeded(200, "sent as one with 2 more updates of the resource")
    assert joint == Joint(3, (unchanged(200), together_with_two, unchanged(200)))
    assert calls == [f"GET {PATH}", f"PUT {PATH}"]


async def test_what_a_later_update_takes_back_is_not_sent_at_all() -> None:
    joint, calls = await joint_of(
        document(coverageStatement="a"), steps=(update(coverageStatement="b"), update(coverageStatement="a"))
    )

    assert joint == Joint(2, (succeeded(200, f"{TOGETHER}, which together left nothing to send"),) * 2)
    assert calls == [f"GET {PATH}"]


async def test_tags_go_out_once_with_those_of_the_last_who_names_any() -> None:
    joint, calls = await joint_of(document(["a"]), answer(200, {}), steps=(update(("b",)), update(("c",)), update()))

    together_with_two = succeeded(200, "sent as one with 2 more updates of the resource")
    assert joint == Joint(3, (together_with_two, together_with_two, unchanged(200)))
    assert calls == [f"GET {PATH}", f"PUT {PATH}/tags"]


async def test_a_refused_put_is_nobodys_until_each_has_asked_for_itself() -> None:
    joint, _ = await joint_of(document(), answer(422, {"errors": [{"title": "no"}]}), steps=TWO)

    assert joint == Joint(2)


async def test_a_resource_that_is_not_there_is_told_to_all_by_one_call() -> None:
    joint, calls = await joint_of(answer(404, {"errors": [{"title": "gone"}]}), steps=TWO)

    assert [(finding.code, finding.status) for finding in joint.findings] == [(Code.REFUSED, 404)] * 2
    assert calls == [f"GET {PATH}"]


async def test_a_read_that_stumbles_leaves_them_together() -> None:
    joint, _ = await joint_of(answer(503, "down"), steps=TWO)

    assert isinstance(joint.trouble, Stumbled)
    assert (joint.apart, joint.uncertain, joint.trouble.remaining) == (False, False, TWO[0])


async def test_a_put_whose_answer_is_lost_may_have_been_applied_for_each() -> None:
    joint, _ = await joint_of(document(), httpx.ReadTimeout("late"), steps=TWO)

    assert isinstance(joint.trouble, Stumbled)
    assert (joint.apart, joint.uncertain, joint.trouble.uncertain) == (True, True, True)


async def test_a_spent_quota_is_nobodys_fault_and_leaves_them_together() -> None:
    joint, _ = await joint_of(document(), answer(429, {"errors": [{"title": "Limit Exceeded"}]}), steps=TWO)

    assert isinstance(joint.trouble, Denied)
    assert (joint.apart, joint.uncertain) == (False, False)


async def test_what_the_system_did_not_take_is_found_out_one_by_one() -> None:
    steps = (update(url="https://new.example"), update(coverageStatement="b"))
    joint, _ = await joint_of(document(), document(coverageStatement="b"), document(coverageStatement="b"), steps=steps)

    assert joint == Joint(2, uncertain=True)


@pytest.mark.parametrize(
    ("status", "trouble", "apart"), [(422, None, False), (503, Stumbled, True), (403, Denied, True)]
)
async def test_tags_that_come_to_nothing_after_the_attributes_leave_all_undecided(
    status: int, trouble: type[Answer] | None, apart: bool
) -> None:
    steps = (update(coverageStatement="b"), update(("new",)))
    joint, _ = await joint_of(document(), document(coverageStatement="b"), answer(status, {}), steps=steps)

    assert joint.trouble is None if trouble is None else isinstance(joint.trouble, trouble)
    assert (joint.count, joint.findings, joint.apart, joint.uncertain) == (2, (), apart, True)


async def test_an_update_behind_a_deselection_stays_behind() -> None:
    module = Module(selected=True, custom=False)

    joint = await module.adapter.attempt_together((update(isSelected=False), update(coverageStatement="b")), context())

    assert joint == Joint(1, (succeeded(200),))


@pytest.mark.parametrize("name", ["url", "proxyId", "accessTypeId"])
async def test_a_value_that_the_system_has_to_judge_is_not_overtaken(name: str) -> None:
    module = Module(selected=True, custom=True)
    values = {"url": ("https://a.example", "https://b.example"), "accessTypeId": (KNOWN, UNKNOWN)}
    one, other = values.get(name, ("one", "two"))

    joint = await module.adapter.attempt_together(
        (update(None, **{name: one}), update(None, **{name: other})), context()
    )

    assert joint == Joint(1, (succeeded(200),))


async def test_the_ids_of_one_resource_may_be_written_in_several_ways() -> None:
    steps = (update(coverageStatement="a"), UpdateResource(TENANT, "22-01-2", {"userDefinedField1": "x"}, None))
    joint, calls = await joint_of(document(), document(coverageStatement="a", userDefinedField1="x"), steps=steps)

    assert joint.findings == (succeeded(200, TOGETHER),) * 2
    assert calls == [f"GET {PATH}", f"PUT {PATH}"]
