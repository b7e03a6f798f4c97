"""The portal's own settings: where it is and the services are, who coordinates, who signs in."""

from pathlib import Path
from typing import Annotated, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)
from pydantic_settings import NoDecode

from schemas.known.whole import CatalogueFolder
from schemas.organisations import AskedName
from schemas.retention import LINK_MINUTES, SESSION_HOURS
from services.chassis.addresses import MailAddress, Token, Url, an_address
from services.chassis.settings import (
    Algorithm,
    Cohorts,
    EmptyIsNone,
    FromJson,
    IssuerUrl,
    MailSettings,
)
from services.portal.web.look import Conformity, Theme, missing_type


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


def _scopes(given: str) -> str:
    if "openid" not in given.split():
        raise ValueError("words with spaces between them, openid among them")
    return given


def _algorithms(given: str) -> str:
    if not given.split() or not set(given.split()) <= set(get_args(Algorithm)):
        raise ValueError(f"of {', '.join(get_args(Algorithm))}, with spaces between them")
    return given


def _with_type(folder: Path | None) -> Path | None:
    if folder is not None and (missing := missing_type(folder)):
        raise ValueError(f"a folder with {' and '.join(missing)}")
    return folder


class PortalSettings(MailSettings):
    """What the portal needs beside what every service that writes to people needs."""

    portal_url: Annotated[Url, Field(alias="CONNECTE_PORTAL_URL")]
    matching_url: Annotated[Url, Field(alias="CONNECTE_MATCHING_URL")]
    scheduling_url: Annotated[Url, Field(alias="CONNECTE_SCHEDULING_URL")]
    notify_url: Annotated[Url, Field(alias="CONNECTE_NOTIFY_URL")]
    catalogue_dir: CatalogueFolder = None
    services_token: Annotated[Token | None, Field(alias="CONNECTE_SERVICES_TOKEN")] = None

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

    sign_in_issuer: Annotated[
        IssuerUrl | None, EmptyIsNone, Field(alias="CONNECTE_SIGN_IN_ISSUER")
    ] = None
    sign_in_client: Annotated[str, Field(alias="CONNECTE_SIGN_IN_CLIENT")] = ""
    sign_in_secret: Annotated[SecretStr, Field(alias="CONNECTE_SIGN_IN_SECRET")] = SecretStr("")
    sign_in_name: Annotated[str, Field(alias="CONNECTE_SIGN_IN_NAME", max_length=40)] = ""
    sign_in_scopes: Annotated[
        str, AfterValidator(_scopes), Field(alias="CONNECTE_SIGN_IN_SCOPES")
    ] = "openid email"
    sign_in_acr: Annotated[str, Field(alias="CONNECTE_SIGN_IN_ACR")] = ""
    sign_in_algorithms: Annotated[
        str, AfterValidator(_algorithms), Field(alias="CONNECTE_SIGN_IN_ALGORITHMS")
    ] = "RS256"
    sign_in_confirmed: Annotated[bool, Field(alias="CONNECTE_SIGN_IN_CONFIRMED")] = False
    sign_in_by_link: Annotated[
        bool | None,
        BeforeValidator(lambda given: None if given == "" else given),
        Field(alias="CONNECTE_SIGN_IN_BY_LINK"),
    ] = None

    theme: Annotated[Theme, Field(alias="CONNECTE_THEME")] = "neutral"
    theme_fonts: Annotated[
        Path | None, EmptyIsNone, AfterValidator(_with_type), Field(alias="CONNECTE_THEME_FONTS")
    ] = None
    legal_url: Annotated[Url | None, EmptyIsNone, Field(alias="CONNECTE_LEGAL_URL")] = None
    personal_url: Annotated[Url | None, EmptyIsNone, Field(alias="CONNECTE_PERSONAL_DATA_URL")] = (
        None
    )
    accessibility_url: Annotated[
        Url | None, EmptyIsNone, Field(alias="CONNECTE_ACCESSIBILITY_URL")
    ] = None
    conformity: Annotated[Conformity, Field(alias="CONNECTE_ACCESSIBILITY")] = "none"

    @property
    def by_link(self) -> bool:
        """Whether somebody can sign in by a link in a letter: unless there is another way."""
        return self.sign_in_issuer is None if self.sign_in_by_link is None else self.sign_in_by_link

    @model_validator(mode="after")
    def _a_way_to_sign_in(self) -> Self:
        of_provider = {
            "CONNECTE_SIGN_IN_CLIENT": self.sign_in_client,
            "CONNECTE_SIGN_IN_SECRET": self.sign_in_secret.get_secret_value(),
            "CONNECTE_SIGN_IN_NAME": self.sign_in_name,
        }
        if self.sign_in_issuer is None:
            if idle := [name for name, given in of_provider.items() if given]:
                raise ValueError(f"{' and '.join(idle)}: not used without CONNECTE_SIGN_IN_ISSUER")
            if not self.by_link:
                raise ValueError(
                    "CONNECTE_SIGN_IN_BY_LINK: without CONNECTE_SIGN_IN_ISSUER it is the only way"
                )
            return self
        needed = of_provider | {"CONNECTE_SIGN_IN_DOMAINS": self.sign_in_domains.strip(" ,")}
        if missing := [name for name, given in needed.items() if not given]:
            raise ValueError(f"{' and '.join(missing)}: needed with CONNECTE_SIGN_IN_ISSUER")
        if not self.portal_url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
            raise ValueError(
                "CONNECTE_PORTAL_URL: https, or http on this machine, with CONNECTE_SIGN_IN_ISSUER"
            )
        return self
