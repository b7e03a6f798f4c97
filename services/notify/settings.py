"""Notify's own settings: the mail server, who writes, where the links lead, what comes in."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr

from services.chassis.addresses import Url
from services.chassis.settings import EmptyIsNone, MailSettings
from services.notify.texts import Texts, WrongTexts, checked

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
    letters_dir: Annotated[Path | None, EmptyIsNone, Field(alias="CONNECTE_LETTERS_DIR")] = None
    portal_url: Annotated[Url | None, EmptyIsNone, Field(alias="CONNECTE_PORTAL_URL")] = None

    @property
    def answers(self) -> str | None:
        """The address to which calendar programs answer; None where nothing comes in."""
        return None if self.inbound_port is None else self.inbound_address or self.mail_from


def read_texts(folder: Path) -> Texts:
    """The texts that a folder changes, checked. Raises `WrongTexts` with all that is wrong.

    What begins with a dot is passed over: a volume of a cluster keeps such things beside its files.
    """
    try:
        files = sorted(file for file in folder.iterdir() if not file.name.startswith("."))
        return checked({file.name: file.read_text("utf-8") for file in files})
    except UnicodeDecodeError:
        raise WrongTexts(f"{folder}: a file is not UTF-8") from None
    except OSError:
        raise WrongTexts(f"{folder} is no folder whose files can be read") from None
