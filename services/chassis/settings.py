"""What a deployment decides: read from the environment once, when a service is built.

A wrong value stops the start with the name of the setting.
"""

import ipaddress
from datetime import datetime
from typing import Annotated, Any, Self, TypeVar

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

S = TypeVar("S", bound="Settings")


class WrongSetting(Exception):
    """A setting is missing or wrong; the text names it, never its value."""


class Settings(BaseSettings):
    """Every service's settings; a field's alias is the name of the environment variable."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    kafka: Annotated[str, Field(alias="KAFKA_BOOTSTRAP_SERVERS", min_length=1)]
    kafka_idempotent: Annotated[bool, Field(alias="CONNECTE_KAFKA_IDEMPOTENT")] = True
    session_timeout_ms: Annotated[
        int, Field(alias="CONNECTE_SESSION_TIMEOUT_MS", ge=500, le=600_000)
    ] = 10_000
    fetch_wait_ms: Annotated[int, Field(alias="CONNECTE_FETCH_WAIT_MS", ge=1, le=30_000)] = 500
    partitions: Annotated[int, Field(alias="CONNECTE_PARTITIONS", ge=1, le=1000)] = 12
    batch: Annotated[int, Field(alias="CONNECTE_BATCH", ge=1, le=5000)] = 500

    parked_limit: Annotated[int, Field(alias="CONNECTE_PARKED_LIMIT", ge=1)] = 100_000

    mongodb: Annotated[SecretStr, Field(alias="MONGODB_URI", min_length=1)]
    database_prefix: Annotated[
        str, Field(alias="CONNECTE_DATABASE_PREFIX", pattern=r"^[a-z0-9_]{1,30}$")
    ] = "connecte_"

    http_host: Annotated[str, Field(alias="CONNECTE_HTTP_HOST")] = "127.0.0.1"
    http_port: Annotated[int, Field(alias="CONNECTE_HTTP_PORT", ge=1, le=65535)] = 8080
    http_token: Annotated[SecretStr | None, Field(alias="CONNECTE_HTTP_TOKEN")] = None

    commands_in_flight: Annotated[
        int, Field(alias="CONNECTE_COMMANDS_IN_FLIGHT", ge=1, le=10_000)
    ] = 200
    commands_backlog: Annotated[
        int, Field(alias="CONNECTE_COMMANDS_BACKLOG", ge=1, le=100_000_000)
    ] = 50_000

    link_verify_key: Annotated[str, Field(alias="CONNECTE_LINK_VERIFY_KEY", min_length=1)]

    clock_rate: Annotated[float, Field(alias="CONNECTE_CLOCK_RATE", gt=0)] = 1.0
    clock_start: Annotated[datetime | None, Field(alias="CONNECTE_CLOCK_START")] = None
    clock_origin: Annotated[datetime | None, Field(alias="CONNECTE_CLOCK_ORIGIN")] = None
    log_level: Annotated[str, Field(alias="LOG_LEVEL", pattern=r"^(DEBUG|INFO|WARNING|ERROR)$")] = (
        "INFO"
    )

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the service's HTTP."""
        if self.http_host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.http_host).is_loopback
        except ValueError:
            return False

    @model_validator(mode="after")
    def _token_beyond_the_loopback(self) -> Self:
        token = self.http_token
        if not self.loopback and (token is None or len(token.get_secret_value()) < 16):
            raise ValueError(
                "CONNECTE_HTTP_TOKEN needs 16 characters or more when the service listens "
                "beyond the loopback"
            )
        return self

    @property
    def kafka_connection(self) -> dict[str, Any]:
        """What every Kafka client of the service is given."""
        return {"bootstrap_servers": self.kafka.split(",")}


def load(kind: type[S]) -> S:
    """The settings of a service, from the environment."""
    try:
        return kind()
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)
        lines = [f"{'.'.join(str(p) for p in e['loc']) or 'settings'}: {e['msg']}" for e in wrong]
        raise WrongSetting("; ".join(lines)) from None
