"""Updates of one resource that wait for it together leave together, in a worker on fakes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from service.domain.answers import Denial, Joint
from service.domain.operations import Step
from service.domain.outcomes import Outcome, Overall
from service.domain.record import Partition
from tests.fakes.broker import FakeBroker
from tests.fakes.events import FakeEvent
from tests.fakes.member import DRAIN_SECONDS, Member, publish, results, settled, succeeded_once
from tests.fakes.systems import FakeSystems, denied, refuse, refuse_together, stumble, stumbled, succeed_together

ONE, TWO = Partition("changes", 0), Partition("changes", 1)


def events(*names: str, entity: str = "a") -> list[FakeEvent]:
    return [FakeEvent(name, (entity,)) for name in names]


class Subject:
    """A worker whose first call takes so long that all else waits behind it."""

    def __init__(self, updates_together: int = 100, concurrency: int = 100) -> None:
        self.broker, self.systems = FakeBroker(ONE, TWO), FakeSystems()
        self.member = Member(self.broker, self.systems, concurrency=concurrency, updates_together=updates_together)
        self.finish = self.systems.hold("first")
        self._moved: set[Partition] = set()
        publish(self.broker, ONE, *events("first"))

    async def after_waiting(self, *names: str, partitions: Sequence[Partition] = (ONE,)) -> None:
        """The events of those names wait for the first, and now it ends."""
        self.member.start()
        await self.member.ready()
        for place, event in enumerate(events(*names)):
            publish(self.broker, partitions[place % len(partitions)], event)
            await asyncio.sleep(1)
        self.finish.set()

    def move(self, partition: Partition, heir: Member) -> None:
        """From the next rebalance on, `heir` has the partition beside those that it has had already."""
        self._moved.add(partition)
        self.broker.assign = lambda members, partitions: {
            member: [one for one in partitions if (one in self._moved) is (member is heir.source)] for member in members
        }

    def outcome(self, name: str) -> Outcome:
        return next(outcome for outcome in self.member.observer.outcomes if outcome.event.id == name)

    def attempts(self, *names: str) -> list[int]:
        return [self.outcome(name).operations[0].attempts for name in names]


async def test_what_waits_for_one_resource_leaves_together_and_each_has_its_own_result() -> None:
    subject = Subject()
    await subject.after_waiting("b", "c", "d")

    told = await settled(subject.broker, "b", "c", "d")
    await subject.member.stop()

    assert subject.systems.called == ["first", "b+c+d"]
    assert succeeded_once(told) == ["first", "b", "c", "d"]
    assert subject.attempts("b", "c", "d") == [1, 1, 1]
    assert [subject.outcome(name).operations[0].asked.target for name in "bcd"] == ["b", "c", "d"]
    assert subject.broker.committed[ONE] == (4, "")


async def test_a_quiet_stream_waits_for_no_company() -> None:
    subject = Subject()
    subject.finish.set()
    subject.member.start()
    await settled(subject.broker, "first", within_seconds=2)
    publish(subject.broker, ONE, *events("b"))

    await settled(subject.broker, "b", within_seconds=1)
    await subject.member.stop()

    assert subject.systems.called == ["first", "b"]


async def test_records_of_several_partitions_leave_together_in_the_order_of_arrival() -> None:
    subject = Subject()
    await subject.after_waiting("b", "c", "d", "e", partitions=(TWO, ONE))

    told = await settled(subject.broker, *"bcde")
    await subject.member.stop()

    assert subject.systems.called == ["first", "b+c+d+e"]
    assert sorted(succeeded_once(told)) == ["b", "c", "d", "e", "first"]
    assert {p: c[0] for p, c in subject.broker.committed.items()} == {ONE: 3, TWO: 2}


async def test_nobody_overtakes_one_that_cannot_join() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    publish(broker, ONE, *events("b", "c"), FakeEvent("two lanes", ("a", "z")), *events("d"))
    publish(broker, ONE, FakeEvent("reader", ("y",), ("a",)), *events("e", "f"))
    member = Member(broker, systems, updates_together=100).start()

    await settled(broker, "f")
    await member.stop()

    assert systems.called == ["b+c", "two lanes", "d", "reader", "e+f"]


@pytest.mark.parametrize(("most", "calls"), [(1, ["b", "c", "d"]), (2, ["b+c", "d"])])
async def test_no_more_leave_together_than_may(most: int, calls: list[str]) -> None:
    subject = Subject(updates_together=most)
    await subject.after_waiting("b", "c", "d")

    await settled(subject.broker, "d")
    await subject.member.stop()

    assert subject.systems.called == ["first", *calls]


async def test_a_company_takes_one_slot() -> None:
    subject = Subject(concurrency=1)
    await subject.after_waiting("b", "c")

    await settled(subject.broker, "b", "c")
    await subject.member.stop()

    assert subject.systems.called == ["first", "b+c"]


async def test_refused_together_each_asks_for_itself_and_has_its_own_words() -> None:
    subject = Subject()
    subject.systems.joint_replies.append(refuse_together)
    subject.systems.replies["c"].append(refuse)
    await subject.after_waiting("b", "c", "d")

    told = await settled(subject.broker, *"bcd")
    await subject.member.stop()

    assert subject.systems.called == ["first", "b+c+d", "b", "c", "d"]
    assert {one.event_id: one.overall for one in told} == {
        "first": Overall.SUCCEEDED, "b": Overall.SUCCEEDED, "c": Overall.FAILED, "d": Overall.SUCCEEDED,
    }  # fmt: skip
    assert subject.attempts(*"bcd") == [2, 2, 2]
    assert [call.context.uncertain for call in subject.systems.calls[2:]] == [False, False, False]


async def test_a_stumble_together_costs_each_of_the_others_one_repeat_and_none_of_its_budget() -> None:
    subject = Subject()
    subject.systems.joint_replies.append(
        lambda steps: Joint(len(steps), trouble=stumbled(steps[0], uncertain=True), apart=True, uncertain=True)
    )
    await subject.after_waiting("b", "c")

    await settled(subject.broker, "b", "c")
    await subject.member.stop()

    assert subject.systems.called == ["first", "b+c", "b", "c"]
    assert [call.context.uncertain for call in subject.systems.calls[2:]] == [True, True]
    assert [system for system, *_ in subject.member.observer.retries] == ["eholdings"], "only the leader has paused"


async def test_a_read_that_stumbles_is_repeated_with_all_who_wait_by_then() -> None:
    subject = Subject()
    subject.systems.joint_replies.append(lambda steps: Joint(len(steps), trouble=stumbled(steps[0])))
    await subject.after_waiting("b", "c")
    await asyncio.sleep(0.1)
    publish(subject.broker, ONE, *events("d"))

    await settled(subject.broker, *"bcd")
    await subject.member.stop()

    assert subject.systems.called == ["first", "b+c", "b+c+d"]
    assert subject.attempts(*"bcd") == [2, 1, 1]


async def test_what_waits_while_a_retry_pauses_joins_it() -> None:
    subject = Subject()
    subject.systems.replies["first"].append(stumble())
    await subject.after_waiting("b", "c")

    await settled(subject.broker, "c")
    await subject.member.stop()

    assert subject.systems.called == ["first", "first+b+c"]


async def test_an_attempt_that_may_have_been_applied_is_repeated_alone() -> None:
    subject = Subject()
    subject.systems.replies["first"].append(stumble(uncertain=True))
    await subject.after_waiting("b", "c")

    await settled(subject.broker, "c")
    await subject.member.stop()

    assert subject.systems.called == ["first", "first", "b+c"]


async def test_a_denial_spends_nothing_and_the_probe_after_it_goes_alone() -> None:
    subject = Subject()
    subject.systems.joint_replies.append(lambda steps: Joint(len(steps), trouble=denied(steps[0], Denial.CREDENTIALS)))
    await subject.after_waiting("b", "c", "d")

    await settled(subject.broker, *"bcd")
    await subject.member.stop()

    assert subject.systems.called == ["first", "b+c+d", "b", "c+d"]
    assert subject.attempts(*"bcd") == [1, 1, 1]


async def test_only_the_first_few_may_be_decided_and_the_next_leads_the_rest() -> None:
    def first_two(steps: Sequence[Step]) -> Joint:
        return succeed_together(steps[:2])

    subject = Subject()
    subject.systems.joint_replies.append(first_two)
    await subject.after_waiting("b", "c", "d", "e")

    told = await settled(subject.broker, *"bcde")
    await subject.member.stop()

    assert subject.systems.called == ["first", "b+c+d+e", "d+e"]
    assert succeeded_once(told) == ["first", *"bcde"]


async def test_an_adapter_that_raises_lets_each_try_for_itself() -> None:
    def raise_(steps: Sequence[Step]) -> Joint:
        raise ZeroDivisionError

    subject = Subject()
    subject.systems.joint_replies.append(raise_)
    await subject.after_waiting("b", "c")

    told = await settled(subject.broker, "b", "c")
    await subject.member.stop()

    assert subject.systems.called == ["first", "b+c", "b", "c"]
    assert succeeded_once(told) == ["first", "b", "c"]


async def test_one_whose_partition_is_lost_under_way_is_dropped_and_the_others_have_their_results() -> None:
    subject = Subject()
    finish = subject.systems.hold("b+c+d")
    await subject.after_waiting("b", "c", "d", partitions=(ONE, TWO))
    while subject.systems.running() != ["b+c+d"]:  # noqa: ASYNC110 - asked, not told
        await asyncio.sleep(0.1)

    heir = Member(subject.broker, subject.systems, "heir", updates_together=100)
    subject.move(TWO, heir)
    heir.start()
    await asyncio.sleep(60)
    finish.set()
    await settled(subject.broker, *"bcd")
    await subject.member.stop()
    await heir.stop()

    told = results(subject.broker)
    assert sorted(succeeded_once(told)) == ["b", "c", "d", "first"]
    assert [record.partition for record in subject.member.observer.records_dropped] == [TWO]
    assert subject.member.observer.in_work == heir.observer.in_work == 0


async def test_a_rebalance_waits_for_a_call_on_behalf_of_those_too_who_are_taken_along() -> None:
    subject = Subject()
    subject.systems.seconds["b+c"] = DRAIN_SECONDS + 10
    await subject.after_waiting("b", "c", partitions=(ONE, TWO))
    while subject.systems.running() != ["b+c"]:  # noqa: ASYNC110 - asked, not told
        await asyncio.sleep(0.1)

    heir = Member(subject.broker, subject.systems, "heir")
    subject.move(ONE, heir)  # it takes no longer than a rebalance may be held up: the one who leads is given up
    heir.start()
    await asyncio.sleep(DRAIN_SECONDS + 5)
    subject.move(TWO, heir)
    subject.broker.rebalance()
    told = await settled(subject.broker, "b", "c")
    await subject.member.stop()
    await heir.stop()

    assert subject.systems.called == ["first", "b+c", "b"]
    assert sorted(succeeded_once(told)) == ["b", "c", "first"]


async def test_no_further_request_leaves_for_one_whose_partition_is_lost_and_the_others_go_on() -> None:
    subject = Subject()
    subject.systems.read_seconds = DRAIN_SECONDS + 10
    await subject.after_waiting("b", "c", "d", partitions=(ONE, TWO))
    await asyncio.sleep(1)

    heir = Member(subject.broker, FakeSystems(), "heir")
    subject.move(TWO, heir)
    heir.start()
    told = await settled(subject.broker, *"bcd")
    await subject.member.stop()
    await heir.stop()

    assert subject.systems.called == ["first", "b+d"]
    assert sorted(succeeded_once(told)) == ["b", "c", "d", "first"]


async def test_a_worker_that_stops_takes_nobody_along_any_more() -> None:
    subject = Subject()
    subject.systems.replies["first"].append(stumble())
    await subject.after_waiting("b", "c")
    while len(subject.systems.called) < 1 or subject.systems.running():  # noqa: ASYNC110 - asked, not told
        await asyncio.sleep(0.1)
    await subject.member.stop()

    assert subject.systems.called == ["first", "first"]
    assert [one.event_id for one in results(subject.broker)] == ["first"]
    assert subject.broker.committed[ONE][0] == 1
