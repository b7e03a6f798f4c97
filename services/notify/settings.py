"""Notify's own settings: the mail server, who writes, where the links lead, what comes in."""

from typing import Annotated

from pydantic import Field, SecretStr

from services.chassis.addresses import Url
from services.chassis.settings import EmptyIsNone, MailSettings

ADDRESS = r"^[^@\s]+@[^@\s]+$"


class NotifySettings(MailSettings):
    """What notify needs beside what every service that writes to people needs."""

    link_signing_key: Annotated[SecretStr, Field(alias="CONNECTE_LINK_SIGNING_KEY", min_length=1)]
    matching_url: Annotated[Url, Field(alias="CONNECTE_MATCHING_URL")]
    scheduling_url: Annotated[Url, Field(alias="CONNECTE_SCHEDULING_URL")]
    inbound_port: Annotated[
        Annotated[int, Field(ge=0, le=65535)] | None,
        EmptyIsNone,
        Field(alias="CONNECTE_INBOUND_PORT"),
    ] = None
    inbound_host: Annotated[str, Field(alias="CONNECTE_INBOUND_HOST")] = "127.0.0.1"
    inbound_address: Annotated[
        Annotated[str, Field(pattern=ADDRESS)] | None,
        EmptyIsNone,
        Field(alias="CONNECTE_INBOUND_ADDRESS"),
    ] = None
    inbound_bytes: Annotated[
        int, Field(alias="CONNECTE_INBOUND_BYTES", ge=100_000, le=25_000_000)
    ] = 2_000_000
    feedback_url: Annotated[Url, Field(alias="CONNECTE_FEEDBACK_URL")]
    portal_url: Annotated[Url | None, EmptyIsNone, Field(alias="CONNECTE_PORTAL_URL")] = None

    @property
    def answers(self) -> str | None:
        """The address to which calendar programs answer; None where nothing comes in."""
        return None if self.inbound_port is None else self.inbound_address or self.mail_from
