"""The portal's own settings: where it is and the services are, who coordinates, who signs in."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from schemas.known.whole import CatalogueFolder
from schemas.retention import LINK_MINUTES, SESSION_HOURS
from services.chassis.addresses import Url, an_address
from services.chassis.settings import MailSettings


def _addresses(given: str) -> str:
    for part in filter(None, map(str.strip, given.split(","))):
        an_address(part)
    return given


class PortalSettings(MailSettings):
    """What the portal needs beside what every service that writes to people needs."""

    portal_url: Annotated[Url, Field(alias="CONNECTE_PORTAL_URL")]
    matching_url: Annotated[Url, Field(alias="CONNECTE_MATCHING_URL")]
    scheduling_url: Annotated[Url, Field(alias="CONNECTE_SCHEDULING_URL")]
    notify_url: Annotated[Url, Field(alias="CONNECTE_NOTIFY_URL")]
    catalogue_dir: CatalogueFolder = None
    services_token: Annotated[SecretStr | None, Field(alias="CONNECTE_SERVICES_TOKEN")] = None

    coordinators: Annotated[
        str, AfterValidator(_addresses), Field(alias="CONNECTE_COORDINATORS")
    ] = ""
    sign_in_domains: Annotated[str, Field(alias="CONNECTE_SIGN_IN_DOMAINS")] = ""
    link_minutes: Annotated[int, Field(alias="CONNECTE_SIGN_IN_LINK_MINUTES", ge=5, le=1440)] = (
        LINK_MINUTES
    )
    idle_minutes: Annotated[int, Field(alias="CONNECTE_SESSION_IDLE_MINUTES", ge=5, le=1440)] = 120
    session_hours: Annotated[int, Field(alias="CONNECTE_SESSION_HOURS", ge=1, le=168)] = (
        SESSION_HOURS
    )
