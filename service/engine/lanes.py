"""Order: who may run now. Owns the lanes, one for each entity key in use; decides purely and awaits nothing.

A member (a record) stands in the lane of every entity that it touches, in the order of arrival. It may run when it
has the word in all of them. A writer has the word alone; readers that follow one another have it together. So a
holdings source that ten thousand record sets name by its name does not make them wait for each other, and yet a
change of that source waits for the sets before it and holds back those behind it.

Invariants: an empty lane does not exist; members that share a lane run in the order in which they came, two readers
apart.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Iterable
from dataclasses import dataclass
from itertools import count, islice
from typing import Generic, TypeVar

Member = TypeVar("Member", bound=Hashable)


@dataclass(slots=True)
class _Stand:
    """A member's place in one lane."""

    writes: bool
    has_the_word: bool = False


class _Lane(Generic[Member]):
    """One entity's queue. Removal is possible anywhere, and cheap at the front."""

    __slots__ = ("holders", "stands", "writers")

    def __init__(self) -> None:
        self.stands: OrderedDict[Member, _Stand] = OrderedDict()
        self.holders = 0
        self.writers = 0

    def append(self, member: Member, *, writes: bool) -> bool:
        """Whether the member has the word at once."""
        granted = not self.stands or (not writes and not self.writers)
        self.stands[member] = _Stand(writes, granted)
        self.holders += granted
        self.writers += writes
        return granted

    def remove(self, member: Member) -> list[Member]:
        """The members that have the word now and had it not before."""
        stand = self.stands.pop(member)
        self.holders -= stand.has_the_word
        self.writers -= stand.writes
        if not self.stands or (self.holders and not stand.writes):
            return []
        return self._pass_the_word()

    def _pass_the_word(self) -> list[Member]:
        granted: list[Member] = []
        for member, stand in self.stands.items():
            if stand.writes and self.holders:
                break
            if not stand.has_the_word:
                stand.has_the_word = True
                self.holders += 1
                granted.append(member)
            if stand.writes:
                break
        return granted


@dataclass(slots=True)
class _Ticket(Generic[Member]):
    """The lanes that a member stands in, and in how many it still waits for the word."""

    number: int
    """Ascending in the order of arrival."""
    keys: tuple[Hashable, ...]
    waiting: int


class Lanes(Generic[Member]):
    """All lanes of a worker."""

    def __init__(self) -> None:
        self._lanes: dict[Hashable, _Lane[Member]] = {}
        self._tickets: dict[Member, _Ticket[Member]] = {}
        self._numbers = count()

    def __len__(self) -> int:
        """Members that have entered and not left."""
        return len(self._tickets)

    @property
    def lane_count(self) -> int:
        """Entities in use."""
        return len(self._lanes)

    def enter(self, member: Member, writes: Iterable[Hashable], reads: Collection[Hashable] = ()) -> bool:
        """Queue `member` behind all who touch the same entities. True when it may run at once.

        A key both written and read counts as written. A member without keys may always run.
        """
        modes = dict.fromkeys(writes, True)
        if reads:
            modes = dict.fromkeys(reads, False) | modes
        waiting = 0
        for key, exclusive in modes.items():
            lane = self._lanes.get(key)
            if lane is None:
                lane = self._lanes[key] = _Lane()
            waiting += not lane.append(member, writes=exclusive)
        self._tickets[member] = _Ticket(next(self._numbers), tuple(modes), waiting)
        return waiting == 0

    def behind(self, member: Member, fits: Callable[[Member], bool], limit: int) -> list[Member]:
        """Those right behind `member` that wait for nobody else, while each `fits`, `limit` at most: they could do what
        they have to do now, in this order, if `member` did it for them.

        Empty unless `member` has the word alone, and stands in no other lane.
        """
        ticket = self._tickets[member]
        if len(ticket.keys) != 1 or ticket.waiting:
            return []
        found: list[Member] = []
        for other, stand in islice(self._lanes[ticket.keys[0]].stands.items(), limit + 1):
            if other is member and stand.writes:
                continue
            if not stand.writes or len(self._tickets[other].keys) != 1 or not fits(other):
                break
            found.append(other)
        return found

    def leave(self, member: Member) -> list[Member]:
        """Take `member` out of all its lanes, whether it ran or not. Returns those that may run now, in the order
        of their arrival.

        A member that never entered, or has left, changes nothing.
        """
        ticket = self._tickets.pop(member, None)
        if ticket is None:
            return []
        ready: list[Member] = []
        for key in ticket.keys:
            lane = self._lanes[key]
            for granted in lane.remove(member):
                other = self._tickets[granted]
                other.waiting -= 1
                if other.waiting == 0:
                    ready.append(granted)
            if not lane.stands:
                del self._lanes[key]
        if len(ready) > 1:
            ready.sort(key=lambda granted: self._tickets[granted].number)
        return ready
