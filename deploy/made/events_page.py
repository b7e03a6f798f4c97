"""docs/events.md: every message, who sends it and when, who reads it. From the code that runs.

`python -m deploy.made.events_page` writes it; a test holds it to be current.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from schemas.base import Message
from schemas.gate.generate import schema_path
from schemas.journal import Heartbeat
from schemas.topics import COMMANDS, TOPICS, Topic
from services.chassis.domain import Domain
from services.feedback.handlers import DOMAIN as FEEDBACK
from services.matching.handlers import DOMAIN as MATCHING
from services.notify.handlers import DOMAIN as NOTIFY
from services.notify.letters import LETTERS
from services.portal.handlers import DOMAIN as PORTAL
from services.scheduling.handlers import DOMAIN as SCHEDULING

PAGE = Path(__file__).parents[2] / "docs" / "events.md"
DOMAINS: tuple[Domain, ...] = (MATCHING, SCHEDULING, FEEDBACK, NOTIFY, PORTAL)

_HEAD = """\
# Events

Every message of the platform: when it is sent, by whom, and who reads it. Generated from the code
(`make catalogue`); do not edit. The schemas are in [schemas/catalogue](../schemas/catalogue); what
subscribers have to know is in [subscribing.md](subscribing.md).

"""


def page() -> str:
    """The whole page."""
    parts = [_HEAD, "## Flow\n\n", *_flow(), "\n"]
    for topic in TOPICS.values():
        if topic.name.endswith(".commands"):
            continue
        parts += _topic(topic)
    parts += _commands()
    return "".join(parts)


def readers(topic: Topic, kind: type[Message]) -> list[str]:
    """The services that do something with a message of this topic, by name."""
    return [
        domain.name
        for domain in DOMAINS
        if topic.name in (*domain.reads, *domain.tables) and kind in domain.handles
    ]


def _flow() -> Iterator[str]:
    yield "```mermaid\nflowchart LR\n"
    yield "    people([people]) -- commands --> matching & scheduling & feedback\n"
    yield "    people -- pages --> portal -- commands --> matching & scheduling\n"
    for domain in DOMAINS:
        yield f"    {domain.name}[{domain.name}]\n"
    for number, topic in enumerate(t for t in TOPICS.values() if _sent(t)):
        shape = ("([", "])") if topic.audience == "public" else ("(", ")")
        yield f"    t{number}{shape[0]}{topic.name}{shape[1]}\n"
        yield f"    {_sender(topic)} --> t{number}\n"
        for domain in DOMAINS:
            if topic.name in domain.reads:
                yield f"    t{number} --> {domain.name}\n"
        if topic.audience == "public":
            yield f"    t{number} -.-> subscribers([subscribers])\n"
    yield "    notify -- letters --> people\n"
    yield "```\n"


def _sent(topic: Topic) -> bool:
    """Whether a service publishes it for others, itself not counted."""
    others = [d.name for d in DOMAINS if topic.name in d.reads]
    return topic.audience == "public" or bool(others)


def _sender(topic: Topic) -> str:
    return topic.name.split(".")[1]


def _topic(topic: Topic) -> Iterator[str]:
    kept = "for ever" if topic.retention_ms < 0 else f"{topic.retention_ms // 86_400_000} days"
    yield f"## {topic.name}\n\n{topic.purpose[0].upper()}{topic.purpose[1:]}. "
    yield f"For: {topic.audience}. Kept: {'the newest per key' if topic.compacted else kept}.\n\n"
    yield "| event | when | read by | schema |\n| --- | --- | --- | --- |\n"
    for kind in topic.types:
        yield _row(topic, kind)
    yield "\n"


def _row(topic: Topic, kind: type[Message]) -> str:
    names = readers(topic, kind)
    if kind in LETTERS and "notify" in names:
        names[names.index("notify")] = "notify (a letter)"
    if kind is Heartbeat:
        names = ["whoever watches the topic"]
    schema = f"../schemas/catalogue/{schema_path(topic, kind)}"
    return (
        f"| `{kind.__name__}` | {_when(kind)} | {_named(names)} | [v{kind.version}]({schema}) |\n"
    )


def _when(kind: type[Message]) -> str:
    text = " ".join((kind.__doc__ or "").split("\n\n")[0].split())
    return text.replace("|", "\\|")


def _named(names: Iterable[str]) -> str:
    return ", ".join(names) or "nobody here"


def _commands() -> Iterator[str]:
    yield "## Commands\n\n"
    yield "On `mentoring.SERVICE.commands`: internal, kept 7 days; sent over HTTP and by links.\n\n"
    yield "| command | to | what it asks |\n| --- | --- | --- |\n"
    for service, kinds in COMMANDS.items():
        for kind in kinds:
            yield f"| `{kind.__name__}` | {service} | {_when(kind)} |\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
