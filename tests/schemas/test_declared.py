"""What a module of the language declares is published: nothing is left out by forgetting a word."""

from collections import Counter
from collections.abc import Iterator
from types import ModuleType
from typing import get_args

from schemas import feedback
from schemas.base import Audience, Command, Event, Message, PairEvent
from schemas.journal import CONTROL
from schemas.people import PersonContact, PersonErased
from schemas.topics import (
    COMMANDS,
    LANGUAGE,
    PRIVATE_EVENTS,
    PUBLIC_EVENTS,
    TOPICS,
    TYPES,
    Service,
    commands_topic,
)


def below(kind: type[Message]) -> Iterator[type[Message]]:
    """Every kind of message of the language that inherits from this one, but for the one that is
    never written: a record without a value stands for it."""
    for heir in kind.__subclasses__():
        if heir.__module__.startswith("schemas.") and heir is not PersonErased:
            yield heir
        yield from below(heir)


def is_base(kind: type[Message]) -> bool:
    return any(heir.__module__.startswith("schemas.") for heir in kind.__subclasses__())


def silent(module: ModuleType) -> list[str]:
    """The events of a module that nobody publishes: they do not say who may read them."""
    return [
        kind.__name__
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Event)
        if kind.__module__ == module.__name__ and not is_base(kind)
        if vars(kind).get("audience") not in get_args(Audience)
    ]


def test_every_event_says_itself_who_may_read_it_or_is_what_others_inherit_from() -> None:
    for modules in LANGUAGE.values():
        assert [name for module in modules for name in silent(module)] == []


def test_an_event_that_does_not_say_who_may_read_it_is_noticed() -> None:
    class PairForgotten(PairEvent):
        """Nobody may read it."""

    class SurveyForgotten(feedback.SurveyOpened):
        """What it inherits is not enough."""

    module = ModuleType(__name__)
    vars(module).update(one=PairForgotten, other=SurveyForgotten)
    assert silent(module) == ["PairForgotten", "SurveyForgotten"]


def test_what_others_inherit_from_is_published_by_nobody() -> None:
    for kind in {*below(Message), Message}:
        if is_base(kind):
            assert kind.__name__ not in TYPES, kind
            assert kind is Command or "audience" not in vars(kind), kind


def test_every_message_of_the_language_is_on_a_topic_for_those_who_may_read_it() -> None:
    for kind in below(Message):
        if not is_base(kind):
            topics = [topic for topic in TOPICS.values() if kind in topic.types]
            assert kind.audience in {topic.audience for topic in topics}, kind


def test_no_two_messages_have_one_name() -> None:
    names = Counter(kind.__name__ for kind in below(Message) if not is_base(kind))
    assert names.keys() == TYPES.keys()
    assert max(names.values()) == 1


def test_every_service_has_its_module_and_every_command_its_service() -> None:
    assert set(LANGUAGE) == set(get_args(Service))
    carried_out = [kind for kinds in COMMANDS.values() for kind in kinds]
    others = {*CONTROL, PersonContact}
    assert {*carried_out, *others} == {kind for kind in below(Command) if not is_base(kind)}
    for service, kinds in COMMANDS.items():
        assert TOPICS[commands_topic(service)].types == kinds + CONTROL


def test_an_event_has_one_publisher_and_one_of_its_two_topics() -> None:
    told = Counter(
        kind.__name__
        for kinds in (*PUBLIC_EVENTS.values(), *PRIVATE_EVENTS.values())
        for kind in kinds
        if kind.__name__ != "Heartbeat"
    )
    assert max(told.values()) == 1
    for service, modules in LANGUAGE.items():
        homes = {module.__name__ for module in modules}
        for kind in (*PUBLIC_EVENTS[service], *PRIVATE_EVENTS[service]):
            assert kind.__name__ == "Heartbeat" or kind.__module__ in homes
