"""What a digest says to a coordinator: what wants attention, by name, each with its link. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from schemas import saying
from schemas.attention import AttentionGathered, Matter
from schemas.values import Language
from services.notify import words
from services.notify.actions import Links
from services.notify.views import Letter, Person

Say = Callable[[str, Mapping[str, Any]], str]
"""A text with its facts, in the reader's language."""


def digest_view(
    letter: Letter,
    people: Mapping[str, Person],
    links: Links,
    own: Mapping[str, Any],
    language: Language,
    say: Say,
) -> dict[str, Any]:
    """What the digest's layout shows. All is plain text: the HTML layout escapes all of it."""
    gathered = AttentionGathered.model_validate(letter.facts)
    count = sum(told.count for told in gathered.told)

    def name(person_id: str) -> str:
        known = people.get(person_id)
        return words.one_line(known.name) if known else str(own["someone"])

    def item(matter: Matter) -> dict[str, str | None]:
        who = saying.listed([name(person_id) for person_id in matter.people], language)
        facts = {"who": who, "since": saying.day(matter.since, language)}
        whose = matter.people[-1] if matter.people else None
        return {
            "said": say(own["item"], facts),
            "url": links.coordinating(letter.cohort_id, whose),
        }

    url = links.coordinating(letter.cohort_id)
    return {
        "subject": say(own["subject"], {"count": count}),
        "body": [say(text, {"count": count}) for text in own["body"]],
        "action": say(own["action"], {}) if url else None,
        "url": url,
        "kinds": [
            {
                "title": say(own["kinds"][told.kind], {"n": told.count}),
                "help": say(own["help"][told.kind], {"n": told.count}),
                "items": [item(matter) for matter in told.oldest],
                "more": say(own["more"], {"n": told.count - len(told.oldest)})
                if told.count > len(told.oldest)
                else None,
            }
            for told in gathered.told
        ],
        "next": say(own["next"], {"again": gathered.next_at is not None}),
    }
