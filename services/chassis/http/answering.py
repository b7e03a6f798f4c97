"""Answers that come by links: whoever has one of them can send as often as they like.

Always holds: what would be refused is refused here, and leaves nothing behind; by one link one
command at a time is under way. So however often a link is used, it costs the journal one refusal at
most for each process, and each time that something else came first.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from schemas.actors import Actor
from schemas.base import Command
from schemas.rights import COMMANDS
from services.chassis.clock import Clock
from services.chassis.domain import State
from services.chassis.http.commands import STATUS, Accepted, Commands
from services.chassis.http.effects import Sent
from services.chassis.http.foresight import Foresight, Unread
from services.chassis.http.links import Link
from services.chassis.http.problems import Problem
from services.chassis.store.contract import NoAnswer

T = TypeVar("T")

WAIT = 10.0
KEPT = 1000
"""Links that are remembered without looking whether they have to be."""


@dataclass(slots=True)
class Answering:
    """Sends what links ask for."""

    commands: Commands
    foresight: Foresight
    clock: Clock
    _under_way: dict[Link, Sent | None] = field(default_factory=dict)

    async def send(self, link: Link, command: Command) -> Accepted:
        """Send the command of a link, and see what comes of it. Raises `Problem`."""
        role = link.role or "participant"
        if link.role is not None and link.role not in COMMANDS.get(type(command).__name__, ()):
            raise Problem(403, "this is not for whoever acts on behalf", rule="other-role")
        await self._take(link)
        try:
            await self._foresee(command)
            actor = Actor("app_user", link.person_id, role, "link")
            sent = await self.commands.write(command, actor=actor)
        except BaseException:
            del self._under_way[link]
            raise
        self._under_way[link] = sent
        try:
            accepted = await self.commands.outcome(sent, WAIT)
        except Problem:
            del self._under_way[link]
            raise
        if accepted.done:
            del self._under_way[link]
        return accepted

    async def look(self, find: Callable[[State, datetime], T]) -> T:
        """What is found from the documents as they stand now; from none, if none can be read."""
        now = self.clock.now()
        try:
            return await self.foresight.look(lambda state: find(state, now))
        except NoAnswer:
            return find(Unread(), now)

    async def _take(self, link: Link) -> None:
        """See that nothing else is under way by this link, as far as anybody can tell."""
        if len(self._under_way) > KEPT:
            await self._forget()
        if link in self._under_way:
            last = self._under_way[link]
            over = last is not None and await self._is_over(last)
            if not over or self._under_way.get(link) is not last:
                title = "an answer by this link is on its way; this one was not taken"
                raise Problem(429, title, rule="link-under-way", retry_after=1)
        self._under_way[link] = None

    async def _foresee(self, command: Command) -> None:
        refusal = await self.foresight.refusal(command, self.clock.now())
        if refusal is not None:
            raise Problem(STATUS[refusal.kind], refusal.detail, rule=refusal.rule)

    async def _is_over(self, sent: Sent) -> bool:
        try:
            return await self.commands.effects.read(sent)
        except NoAnswer:
            return False

    async def _forget(self) -> None:
        """Remember only what may still be under way."""
        last = {link: sent for link, sent in self._under_way.items() if sent is not None}
        partitions = {sent.partition for sent in last.values()}
        with contextlib.suppress(NoAnswer):
            positions = await self.commands.effects.store.positions(partitions)
            for link, sent in last.items():
                read = positions.get((sent.topic, sent.partition), 0)
                if read > sent.offset and self._under_way.get(link) is sent:
                    del self._under_way[link]
