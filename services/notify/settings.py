"""Notify's own settings: the mail server, who writes, and where the links lead."""

from typing import Annotated

from pydantic import Field, SecretStr

from services.chassis.addresses import Url
from services.chassis.settings import MailSettings


class NotifySettings(MailSettings):
    """What notify needs beside what every service that writes to people needs."""

    link_signing_key: Annotated[SecretStr, Field(alias="CONNECTE_LINK_SIGNING_KEY", min_length=1)]
    matching_url: Annotated[Url, Field(alias="CONNECTE_MATCHING_URL")]
    scheduling_url: Annotated[Url, Field(alias="CONNECTE_SCHEDULING_URL")]
    feedback_url: Annotated[Url, Field(alias="CONNECTE_FEEDBACK_URL")]
