"""Notify's own settings: the mail server, who writes, and where the links lead."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from services.chassis.settings import Settings

Url = Annotated[str, Field(pattern=r"^https?://[^\s]+[^/\s]$")]


class NotifySettings(Settings):
    """What notify needs beside what every service needs."""

    smtp_host: Annotated[str, Field(alias="SMTP_HOST", min_length=1)]
    smtp_port: Annotated[int, Field(alias="SMTP_PORT", ge=1, le=65535)] = 587
    smtp_security: Annotated[Literal["none", "starttls", "tls"], Field(alias="SMTP_SECURITY")] = (
        "starttls"
    )
    smtp_username: Annotated[str | None, Field(alias="SMTP_USERNAME")] = None
    smtp_password: Annotated[SecretStr | None, Field(alias="SMTP_PASSWORD")] = None
    smtp_timeout: Annotated[float, Field(alias="SMTP_TIMEOUT", gt=0, le=300)] = 30.0

    mail_from: Annotated[str, Field(alias="CONNECTE_MAIL_FROM", pattern=r"^[^@\s]+@[^@\s]+$")] = (
        "connecte@programme.example"
    )
    mail_contact: Annotated[str | None, Field(alias="CONNECTE_MAIL_CONTACT")] = None

    link_signing_key: Annotated[SecretStr, Field(alias="CONNECTE_LINK_SIGNING_KEY", min_length=1)]
    matching_url: Annotated[Url, Field(alias="CONNECTE_MATCHING_URL")]
    scheduling_url: Annotated[Url, Field(alias="CONNECTE_SCHEDULING_URL")]
    feedback_url: Annotated[Url, Field(alias="CONNECTE_FEEDBACK_URL")]
