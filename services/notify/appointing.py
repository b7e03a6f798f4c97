"""Decisions about roles that are given in a cohort, and taken.

Always holds: a role is a person's whom a contact reaches, by the address of that moment; and
nobody takes the last administrator's: who is to go is replaced first. To be forgotten ends every
role, for that is a right. Of what an administrator gives or takes the person is told by letter.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from schemas.actors import of_address
from schemas.appointments import GiveRole, RoleGiven, RoleLetterQueued, RoleTaken, TakeRole
from schemas.base import Event, recast
from services.chassis.domain import Decision, Refusal
from services.notify.calendar import next_sending_time
from services.notify.letters import fact_id
from services.notify.telling import rules_of
from services.notify.views import Cohort, HeldRole, Person


def give(
    cohort: Cohort | None,
    person: Person | None,
    known: HeldRole | None,
    command: GiveRole,
    now: datetime,
    secret: str,
) -> Decision:
    """The role, unless they have it as it is asked for. `secret`: what ids are made with."""
    if cohort is None:
        return Refusal("unknown", "unknown-cohort", "There is no such cohort.")
    if person is None:
        return Refusal("unknown", "unknown-person", "Nobody can be reached under this id here.")
    if (command.role == "partner") != bool(command.organisations):
        return Refusal(
            "invalid",
            "organisations-of-a-partner",
            "A partner has organisations, and whoever has another role has none.",
        )
    holder = of_address(person.address or person.email.casefold(), secret)
    organisations = tuple(sorted(set(command.organisations)))
    if known is not None and (known.holder, known.organisations) == (holder, organisations):
        return []
    fields = {"organisations": organisations, "holder": holder, "given_at": now}
    return [recast(RoleGiven, command, **fields)]


def take(
    known: HeldRole | None, administrators: Collection[str], command: TakeRole, now: datetime
) -> Decision:
    """The role goes, if they have it. `administrators`: whoever is one because it was given."""
    if known is None:
        return Refusal("unknown", "unknown-role", "They were not given this role.")
    if command.role == "administrator" and not set(administrators) - {command.person_id}:
        return Refusal(
            "conflict",
            "last-administrator",
            "Nobody else was given the administration of this cohort, so name another one first.",
        )
    return [recast(RoleTaken, command, because="asked", taken_at=now)]


def forgotten(known: Iterable[HeldRole]) -> list[Event]:
    """Every role of somebody who was erased goes."""
    return [
        RoleTaken(cohort_id=one.cohort_id, person_id=one.person_id, role=one.role, because="erased")
        for one in known
    ]


def told(cohort: Cohort | None, event: RoleGiven | RoleTaken, now: datetime) -> RoleLetterQueued:
    """The letter that tells somebody of their role, as soon as letters are sent."""
    _, quiet_hours = rules_of(cohort)
    return RoleLetterQueued(
        cohort_id=event.cohort_id,
        letter_id=f"{fact_id(event)}:{event.person_id}",
        person_id=event.person_id,
        template="RoleGiven" if isinstance(event, RoleGiven) else "RoleTaken",
        facts=event.model_dump(mode="json", exclude={"asker"}),
        send_at=next_sending_time(now, quiet_hours),
    )
