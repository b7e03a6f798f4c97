"""What is said to be kept, and until when, is what the platform does."""

from deploy.made.privacy_page import PAGE, page
from schemas.retention import RETENTION
from schemas.topics import TOPICS

DAY = 24 * 60 * 60 * 1000


def test_the_committed_table_of_what_is_kept_is_that_of_today() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(text), "run: make catalogue"


def test_of_every_topic_it_is_said_how_long_what_is_on_it_is_kept() -> None:
    assert {topic for kept in RETENTION for topic in kept.topics} == TOPICS.keys()


def test_a_topic_is_kept_for_as_long_as_the_table_says() -> None:
    for kept in RETENTION:
        for topic in kept.topics:
            days = None if TOPICS[topic].retention_ms < 0 else TOPICS[topic].retention_ms / DAY
            assert days == kept.days, topic
