"""Where sessions take place: an office, a place in words, or a meeting link."""

import re
from typing import Annotated, Literal

from pydantic import Field, model_validator

from schemas.base import Value, described
from schemas.saying import Language
from schemas.text import tidied

ROOM = "{room}"
"""What a cohort's meeting link has where each pair has a room of its own."""

_UNKNOWN = re.compile(r"[{}]")


class MeetingPlace(Value):
    """A place. A link is that of a video service; a cohort's has `{room}` in it."""

    at: Annotated[
        Literal["manager_office", "mentor_office", "text", "link"],
        described("The manager's office, the mentor's, a place in words, or a link.", "text"),
    ]
    text: Annotated[
        str | None,
        described(
            "The place in words; null unless `at` is `text`.",
            "Salle 214, Bercy",
            min_length=1,
            max_length=200,
        ),
    ] = None
    link: Annotated[
        str | None,
        Field(
            description="Where to join; null unless `at` is `link`.",
            examples=["https://visio.example/k5v7"],
            max_length=400,
            pattern=r"^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/\S*)?$",
        ),
    ] = None

    @model_validator(mode="after")
    def _what_it_is_at(self) -> "MeetingPlace":
        for name in ("text", "link"):
            if (getattr(self, name) is not None) != (self.at == name):
                raise ValueError(f"{name}: given where `at` is `{name}`, and only there")
        return self

    def in_room(self, room: str) -> "MeetingPlace":
        """The place of one pair: a link leads to this room."""
        if self.link is None:
            return self
        return self.model_copy(update={"link": self.link.replace(ROOM, room)})


def as_policy(place: MeetingPlace | None) -> str | None:
    """What is wrong with the link of a cohort's policy; None if nothing is."""
    link = place.link if place else None
    if link is None:
        return None
    if link.count(ROOM) != 1 or _UNKNOWN.search(link.replace(ROOM, "")):
        return "a cohort's link has {room} in it, once: each pair gets a room of its own"
    return None


def as_chosen(place: MeetingPlace) -> MeetingPlace:
    """A place as one side chooses it: the link is complete."""
    if place.link is not None and _UNKNOWN.search(place.link):
        raise ValueError("link: it leads to one meeting, and has no { or } in it")
    return place


def chosen(words: str) -> MeetingPlace:
    """A place as somebody types it: a link, or a text. ValueError if it is neither."""
    given = tidied(words)
    named = "link" if given.startswith("https://") else "text"
    return as_chosen(MeetingPlace.model_validate({"at": named, named: given}))


_OFFICES: dict[tuple[str, Language], str] = {
    ("manager_office", "fr"): "au bureau du manager",
    ("manager_office", "en"): "at the manager’s office",
    ("mentor_office", "fr"): "au bureau du mentor",
    ("mentor_office", "en"): "at the mentor’s office",
}


def where(place: MeetingPlace, language: Language) -> str:
    """The place as people are told it; a link as it is."""
    return place.text or place.link or _OFFICES[place.at, language]
