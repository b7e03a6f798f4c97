"""A roster is entered beside who is there: nobody's contact becomes somebody else's."""

from deploy.operating.entering import OF_ANOTHER, enter
from deploy.operating.platform import CommandOutcome, Platform
from deploy.operating.rosters import Roster
from schemas.actors import Actor, Via
from schemas.base import Command
from schemas.gate.samples import message_of
from schemas.matching import VolunteerAsMentor
from schemas.people import Assistant, PersonContact
from schemas.topics import Service
from services.chassis.domain import Refusal
from services.chassis.store.contract import Commit, Place
from services.chassis.store.memory import MemoryStore
from services.notify.app import from_a_roster
from services.notify.views import Person

LISE = PersonContact(cohort_id="c", person_id="m-1", name="Lise", email="lise@m.example")
OTHER = LISE.model_copy(update={"name": "Yann", "email": "yann@m.example"})
JOINS = message_of(VolunteerAsMentor).model_copy(update={"cohort_id": "c", "mentor_id": "m-1"})
KNOWN = Person(
    id="m-1",
    cohort_id="c",
    name="Lise",
    email="Lise@m.example",
    language="en",
    post="Acheteuse",
    presentation="Je débute.",
    assistant=Assistant(name="Dominique", email="d@m.example"),
    role="coordinator",
)


class Refusing(Platform):
    """Services to which an id is somebody else's."""

    def __init__(self) -> None:
        super().__init__({}, None)
        self.sent: list[Command] = []

    async def send(self, service: Service, command: Command) -> CommandOutcome:
        self.sent.append(command)
        return CommandOutcome(done=False, rule=OF_ANOTHER, detail="no")


async def test_of_an_id_that_somebody_else_has_nothing_more_is_sent_and_it_is_said() -> None:
    platform, steps = Refusing(), list[None]()
    roster = Roster((JOINS,), (), (OTHER,))
    entered = await enter(platform, roster, None, lambda: steps.append(None))
    assert platform.sent == [OTHER]
    assert (entered.rules, entered.clean, len(steps)) == ({OF_ANOTHER: 1}, False, 2)


async def checked(contact: PersonContact, via: Via) -> Command | Refusal:
    store = MemoryStore()
    await store.commit(Commit([Place(0, 1)], [(0, KNOWN)], []))
    return await from_a_roster(store, contact, Actor("user", "u", "coordinator", via))


async def test_a_roster_that_gives_somebody_s_id_to_another_is_refused_without_their_address() -> (
    None
):
    no = await checked(OTHER, "roster")
    assert isinstance(no, Refusal)
    assert no.rule == OF_ANOTHER
    assert "m.example" not in no.detail
    somebody_new = OTHER.model_copy(update={"person_id": "m-2"})
    assert await checked(somebody_new, "roster") == somebody_new


async def test_what_a_roster_does_not_say_of_who_is_there_stays_as_it_is() -> None:
    taken = await checked(LISE, "roster")
    assert isinstance(taken, PersonContact)
    own = (taken.post, taken.presentation, taken.assistant, taken.role, taken.language)
    assert own == ("Acheteuse", "Je débute.", KNOWN.assistant, "coordinator", "en")


async def test_what_a_roster_says_counts_also_that_there_is_none() -> None:
    said = PersonContact.model_validate({**LISE.model_dump(exclude_unset=True), "post": None})
    taken = await checked(said, "roster")
    assert isinstance(taken, PersonContact)
    assert (taken.post, taken.presentation) == (None, "Je débute.")


async def test_whoever_changes_an_address_by_name_may() -> None:
    assert await checked(OTHER, "portal") == OTHER
