"""What notify knows of people is read back as it was taken in, whatever is asked of them since."""

from schemas.people import Assistant, PersonContact
from services.chassis.domain import One
from services.chassis.store.contract import Place
from services.chassis.store.mongo import MongoStore
from services.notify.views import Person

UNSEEN = "\u202e"
"""A name of which nothing is drawn: asked for today, it is refused."""


async def test_a_person_whose_assistant_could_not_be_named_today_is_read_back(
    mongodb_uri: str, database: str
) -> None:
    helper = {"name": UNSEEN, "email": "bob@a.example"}
    told = {"cohort_id": "c", "person_id": "p", "name": "Ada", "email": "ada@a.example"}
    contact = PersonContact.model_validate(told | {"assistant": helper}, context="taken-in")
    assert isinstance(contact.assistant, Assistant)
    person = Person(
        id="p", cohort_id="c", name="Ada", email="ada@a.example", language="fr"
    ).model_copy(update={"assistant": contact.assistant})
    store = MongoStore(mongodb_uri, database, [Person])
    await store.open()
    await store.fill(Place(0), [person])
    assert await store.load([One(Person, "c", "p")]) == [person]
    assert await store.one(Person, "c", "p") == person
    assert await store.several(Person, "c", ["p"]) == [person]
    assert await store.page(Person) == [person]
    await store.close()
