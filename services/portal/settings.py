"""The portal's own settings: where it is and the services are, who coordinates, who signs in."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import NoDecode

from schemas.known.whole import CatalogueFolder
from schemas.organisations import AskedName
from schemas.retention import LINK_MINUTES, SESSION_HOURS
from services.chassis.addresses import MailAddress, Url, an_address
from services.chassis.settings import Cohorts, FromJson, MailSettings


def _addresses(given: str) -> str:
    for part in filter(None, map(str.strip, given.split(","))):
        an_address(part)
    return given


class PartnerCoordinator(BaseModel):
    """Who coordinates the people of some organisations, in some cohorts (`*`: in all)."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    address: MailAddress
    organisations: Annotated[tuple[AskedName, ...], Field(min_length=1)]
    cohorts: Cohorts


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
    partners: Annotated[
        tuple[PartnerCoordinator, ...], NoDecode, FromJson, Field(alias="CONNECTE_PARTNERS")
    ] = ()
    sign_in_domains: Annotated[str, Field(alias="CONNECTE_SIGN_IN_DOMAINS")] = ""
    link_minutes: Annotated[int, Field(alias="CONNECTE_SIGN_IN_LINK_MINUTES", ge=5, le=1440)] = (
        LINK_MINUTES
    )
    idle_minutes: Annotated[int, Field(alias="CONNECTE_SESSION_IDLE_MINUTES", ge=5, le=1440)] = 120
    session_hours: Annotated[int, Field(alias="CONNECTE_SESSION_HOURS", ge=1, le=168)] = (
        SESSION_HOURS
    )
