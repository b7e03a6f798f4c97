"""Feedback's own settings: what answers are sealed with."""

from typing import Annotated

from pydantic import Field, SecretStr

from services.chassis.settings import EmptyIsNone, Settings

Key = Annotated[Annotated[SecretStr, Field(min_length=16)] | None, EmptyIsNone]


class FeedbackSettings(Settings):
    """What feedback needs beside what every service needs."""

    answers_key: Annotated[Key, Field(alias="CONNECTE_ANSWERS_KEY")] = None
    answers_key_old: Annotated[Key, Field(alias="CONNECTE_ANSWERS_KEY_OLD")] = None

    @property
    def answers_secrets(self) -> tuple[str, ...]:
        """What answers are sealed with, and what opens those that were sealed before.

        Without a key of its own it is what ids of people are made with.
        """
        own = (self.answers_key, self.answers_key_old)
        given = [key.get_secret_value() for key in own if key is not None]
        return tuple(dict.fromkeys((*given, self.pseudonym_secret, *self.http_tokens)))
