"""Entering a list of people, which may take minutes: it goes on when nobody looks.

Always holds: how far it is can be seen by any process, and is told while anybody is at it; if the
one that does it ends, the same button begins again, and whoever has been entered already does not
change.
"""

import asyncio
import contextlib
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from schemas.actors import Actor
from schemas.base import Command
from schemas.people import PersonContact
from schemas.values import Side
from services.chassis.store.contract import NoAnswer, Row
from services.portal.owners import digest
from services.portal.roster import Cells, commands_of
from services.portal.views import Participant
from services.portal.web.engine import Away
from services.portal.web.site import Site

logger = logging.getLogger(__name__)

ENTERING = "entering"
AT_ONCE = 8
TOLD_EVERY = 2.0
"""Seconds after which whoever is at it tells how far it is."""
SILENCE = timedelta(seconds=15)
"""After so long without a word of it, nobody is at it any more."""
KEPT = timedelta(days=1)

_OWN = ("post", "presentation", "assistant", "role")

Stage = Literal["going-on", "over", "stopped"]
Asked = tuple[int, tuple[PersonContact, Command]]
"""A row's place, and what it asks for."""


@dataclass(slots=True)
class Entering:
    """How far a list is. `refused`: place of a row to the rule that said no."""

    of: int
    stage: Stage = "going-on"
    done: int = 0
    refused: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """What enters the lists of one portal."""

    site: Site
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    async def seen(self, draft: str) -> Entering | None:
        """How far the list of a draft is; None if nobody began."""
        now = self.site.sessions.now()
        found = await self.site.kept.get(ENTERING, digest(draft), now)
        if found is None:
            return None
        refused = {int(place): rule for place, rule in found["refused"]}
        stage: Stage = found["stage"]
        if stage == "going-on" and now - found["told"] > SILENCE:
            stage = "stopped"
        return Entering(found["of"], stage, found["done"], refused)

    async def begin(
        self,
        draft: str,
        cohort_id: str,
        sided: Sequence[tuple[Side, Cells]],
        actor: Actor,
        patience: float,
        hidden: Collection[str] = (),
    ) -> None:
        """Begin, unless somebody is at it; come back when it is over or patience ends.

        Whoever is `hidden` from the one who enters them is there already, and stays as they are.
        """
        known = await self.seen(draft)
        if known is None or known.stage != "going-on":
            state = Entering(len(sided))
            await self._tell(draft, state)
            task = asyncio.create_task(self._enter(draft, cohort_id, sided, actor, state, hidden))
            self._tasks[draft] = task
            task.add_done_callback(lambda _: self._tasks.pop(draft, None))
        if (running := self._tasks.get(draft)) is not None:
            await asyncio.wait([running], timeout=patience)

    async def _tell(self, draft: str, state: Entering) -> None:
        now = self.site.sessions.now()
        value: Row = {
            "of": state.of,
            "done": state.done,
            "stage": state.stage,
            "refused": [[place, rule] for place, rule in state.refused.items()],
            "told": now,
        }
        await self.site.kept.put(ENTERING, digest(draft), value, now + KEPT)

    async def _enter(
        self,
        draft: str,
        cohort_id: str,
        sided: Sequence[tuple[Side, Cells]],
        actor: Actor,
        state: Entering,
        hidden: Collection[str],
    ) -> None:
        over = asyncio.Event()
        telling = asyncio.create_task(self._tell_until(over, draft, state))
        try:
            ids = {c["email"].casefold(): c["id"] for _, c in sided if c.get("id")}
            for _, cells in sided:
                if (address := cells["email"].casefold()) not in ids:
                    ids[address] = await self.site.person_id(cohort_id, cells["email"])
            commands = list(enumerate(commands_of(cohort_id, sided, ids)))
            commands = [one for one in commands if one[1][0].person_id not in hidden]
            commands = await self._of_their_own(cohort_id, commands, state)
            state.done += len(sided) - len(commands)
            await self._send(commands, actor, state)
            if not state.refused:
                await self.site.shown(lambda: self._are_shown(cohort_id, list(ids.values())))
            state.stage = "over"
        except (Away, NoAnswer) as error:
            logger.warning("a list was not entered whole: %s", type(error).__name__)
            state.stage = "stopped"
        except Exception as error:  # noqa: BLE001  # its text can hold what stands in a cell
            logger.error("a list was not entered: %s", type(error).__name__)  # noqa: TRY400
            state.stage = "stopped"
        finally:
            over.set()
            await telling

    async def _of_their_own(
        self, cohort_id: str, commands: Sequence[Asked], state: Entering
    ) -> list[Asked]:
        """What is asked of each, but of an id that somebody else has; whoever is there keeps what
        they have said of themselves, which no list knows."""
        there = await self.site.people(cohort_id, [one[1][0].person_id for one in commands])
        found: list[Asked] = []
        for place, (contact, command) in commands:
            known = there.get(contact.person_id)
            if known is None or known.address is None:
                found.append((place, (contact, command)))
            elif known.address != contact.email.casefold():
                state.refused[place] = "id-of-another"
            else:
                own = {name: getattr(known, name) for name in _OWN}
                found.append((place, (contact.model_copy(update=own), command)))
        return found

    async def _tell_until(self, over: asyncio.Event, draft: str, state: Entering) -> None:
        """Tell how far it is now and then; last, how it ended."""
        ended = False
        while not ended:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TOLD_EVERY):
                    await over.wait()
            ended = over.is_set()
            with contextlib.suppress(NoAnswer):
                await self._tell(draft, state)

    async def _are_shown(self, cohort_id: str, ids: Sequence[str]) -> bool:
        there = await self.site.store.several(Participant, cohort_id, set(ids))
        return sum(bool(person.sides) for person in there) == len(set(ids))

    async def _send(
        self,
        commands: Sequence[Asked],
        actor: Actor,
        state: Entering,
    ) -> None:
        """Everything, some at a time."""
        waiting = iter(commands)

        async def work() -> None:
            for place, (contact, command) in waiting:
                await self.site.engine.send(contact, actor)
                outcome = await self.site.engine.send(command, actor)
                if outcome.rule is not None:
                    state.refused[place] = outcome.rule
                state.done += 1

        try:
            async with asyncio.TaskGroup() as tasks:
                for _ in range(AT_ONCE):
                    tasks.create_task(work())
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
