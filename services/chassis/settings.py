"""What a deployment decides: read from the environment once, when a service is built.

A wrong value stops the start with the name of the setting.
"""

import ipaddress
import ssl
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from cryptography import x509
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FilePath,
    HttpUrl,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_core import from_json
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from schemas.invalid import in_one_line
from schemas.roles import Role
from schemas.topics import prefix
from services.chassis.addresses import Brokers, MailAddress, MongoDb, Token

S = TypeVar("S", bound="Settings")

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN"]
Sampler = Literal[
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
]
EmptyIsNone = BeforeValidator(lambda given: given or None)
"""OpenTelemetry takes an empty setting for one that is not there."""


def _read(given: Any) -> Any:
    if not isinstance(given, str):
        return given
    try:
        return from_json(given or "[]")
    except ValueError:  # whose words would quote the setting
        raise ValueError("it is not JSON") from None


FromJson = BeforeValidator(_read)
"""Settings of several parts are a list in JSON."""


class WrongSetting(Exception):
    """A setting is missing or wrong; the text names it, never its value."""


Algorithm = Literal[
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "Ed25519",
]
"""How a token may be signed: by a key that only its issuer has."""
Cohorts = Annotated[tuple[str, ...], Field(min_length=1)]
"""For which cohorts a token is good; `*` is all."""


IssuerUrl = Annotated[str, Field(pattern=r"^(https://|http://(127\.0\.0\.1|localhost)[:/])\S+$")]
"""By TLS, or on this machine."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class NarrowToken(_Part):
    """A static token for one role. `name`: what its bearer is called in events and logs."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    role: Role
    cohorts: Cohorts
    token: Annotated[SecretStr, Field(min_length=16)]


class Issuer(_Part):
    """An identity provider, and what its tokens are good for.

    Their role is `role`, or what `roles` has for a value of the claim `role_claim`; their cohorts
    are `cohorts`, or what the claim `cohorts_claim` has. `address_claim`: the claim of an address
    that the provider vouches for, by which people are known in their own things. A `partner` is for
    the people of what `organisations` has for a value of `organisation_claim`.
    """

    issuer: IssuerUrl
    audience: Annotated[str, Field(min_length=1)]
    algorithms: Annotated[tuple[Algorithm, ...], Field(min_length=1)] = ("RS256",)
    jwks_uri: IssuerUrl | None = None
    skew_seconds: Annotated[int, Field(ge=0, le=300)] = 30
    role: Role | None = None
    role_claim: str | None = None
    roles: dict[str, Role] = {}
    cohorts: Cohorts | None = None
    cohorts_claim: str | None = None
    address_claim: str | None = None
    organisation_claim: str | None = None
    organisations: dict[str, str] = {}

    @model_validator(mode="after")
    def _one_way_to_tell(self) -> Self:
        if (self.role is None) == (self.role_claim is None):
            raise ValueError("role, or role_claim with roles: one of them")
        if (self.role_claim is None) != (not self.roles):
            raise ValueError("role_claim and roles go together")
        if (self.organisation_claim is None) != (not self.organisations):
            raise ValueError("organisation_claim and organisations go together")
        if (self.cohorts is None) == (self.cohorts_claim is None):
            raise ValueError("cohorts or cohorts_claim: one of them")
        return self


class Settings(BaseSettings):
    """Every service's settings; a field's alias is the name of the environment variable."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    kafka: Annotated[Brokers, Field(alias="KAFKA_BOOTSTRAP_SERVERS", min_length=1)]
    kafka_protocol: Annotated[Protocol, Field(alias="KAFKA_SECURITY_PROTOCOL")] = "PLAINTEXT"
    kafka_mechanism: Annotated[Mechanism, Field(alias="KAFKA_SASL_MECHANISM")] = "SCRAM-SHA-512"
    kafka_username: Annotated[str | None, Field(alias="KAFKA_SASL_USERNAME")] = None
    kafka_password: Annotated[SecretStr | None, Field(alias="KAFKA_SASL_PASSWORD")] = None
    kafka_cafile: Annotated[str | None, Field(alias="KAFKA_SSL_CAFILE")] = None
    kafka_certfile: Annotated[str | None, Field(alias="KAFKA_SSL_CERTFILE")] = None
    kafka_keyfile: Annotated[str | None, Field(alias="KAFKA_SSL_KEYFILE")] = None
    kafka_idempotent: Annotated[bool, Field(alias="CONNECTE_KAFKA_IDEMPOTENT")] = True
    topic_prefix: Annotated[str, Field(alias="CONNECTE_TOPIC_PREFIX"), AfterValidator(prefix)] = ""
    session_timeout_ms: Annotated[
        int, Field(alias="CONNECTE_SESSION_TIMEOUT_MS", ge=500, le=600_000)
    ] = 10_000
    fetch_wait_ms: Annotated[int, Field(alias="CONNECTE_FETCH_WAIT_MS", ge=1, le=30_000)] = 500
    partitions: Annotated[int, Field(alias="CONNECTE_PARTITIONS", ge=1, le=1000)] = 12
    batch: Annotated[int, Field(alias="CONNECTE_BATCH", ge=1, le=5000)] = 500
    gather_ms: Annotated[int, Field(alias="CONNECTE_GATHER_MS", ge=0, le=1000)] = 0

    parked_limit: Annotated[int, Field(alias="CONNECTE_PARKED_LIMIT", ge=1)] = 100_000

    mongodb: Annotated[MongoDb, Field(alias="MONGODB_URI", min_length=1)]
    database_prefix: Annotated[
        str, Field(alias="CONNECTE_DATABASE_PREFIX", pattern=r"^[a-z0-9_]{1,30}$")
    ] = "connecte_"

    http_host: Annotated[str, Field(alias="CONNECTE_HTTP_HOST")] = "127.0.0.1"
    http_port: Annotated[int, Field(alias="CONNECTE_HTTP_PORT", ge=1, le=65535)] = 8080
    http_token: Annotated[Token | None, Field(alias="CONNECTE_HTTP_TOKEN")] = None
    http_token_old: Annotated[Token | None, EmptyIsNone, Field(alias="CONNECTE_HTTP_TOKEN_OLD")] = (
        None
    )
    narrow_tokens: Annotated[
        tuple[NarrowToken, ...], NoDecode, FromJson, Field(alias="CONNECTE_HTTP_TOKENS")
    ] = ()
    issuers: Annotated[
        tuple[Issuer, ...], NoDecode, FromJson, Field(alias="CONNECTE_OIDC_ISSUERS")
    ] = ()
    pseudonym_key: Annotated[
        Annotated[SecretStr, Field(min_length=16)] | None,
        EmptyIsNone,
        Field(alias="CONNECTE_PSEUDONYM_KEY"),
    ] = None
    hsts_seconds: Annotated[
        int, Field(alias="CONNECTE_HSTS_SECONDS", ge=0, le=2 * 365 * 24 * 3600)
    ] = 0

    proxies: Annotated[int, Field(alias="CONNECTE_PROXIES", ge=0, le=9)] = 0

    person_rate: Annotated[int, Field(alias="CONNECTE_REQUESTS_PER_PERSON", ge=0, le=1_000_000)] = (
        300
    )
    stranger_rate: Annotated[
        int, Field(alias="CONNECTE_REQUESTS_PER_ADDRESS", ge=0, le=1_000_000)
    ] = 300

    commands_in_flight: Annotated[
        int, Field(alias="CONNECTE_COMMANDS_IN_FLIGHT", ge=1, le=10_000)
    ] = 200
    commands_backlog: Annotated[
        int, Field(alias="CONNECTE_COMMANDS_BACKLOG", ge=1, le=100_000_000)
    ] = 50_000

    link_verify_key: Annotated[str, Field(alias="CONNECTE_LINK_VERIFY_KEY", min_length=1)]
    link_verify_key_old: Annotated[
        str | None, EmptyIsNone, Field(alias="CONNECTE_LINK_VERIFY_KEY_OLD")
    ] = None

    clock_rate: Annotated[float, Field(alias="CONNECTE_CLOCK_RATE", gt=0)] = 1.0
    clock_start: Annotated[datetime | None, Field(alias="CONNECTE_CLOCK_START")] = None
    clock_origin: Annotated[datetime | None, Field(alias="CONNECTE_CLOCK_ORIGIN")] = None
    clock_file: Annotated[FilePath | None, Field(alias="CONNECTE_CLOCK_FILE")] = None
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], Field(alias="LOG_LEVEL")] = (
        "INFO"
    )

    otlp_endpoint: Annotated[
        HttpUrl | None, EmptyIsNone, Field(alias="OTEL_EXPORTER_OTLP_ENDPOINT")
    ] = None
    # These two are read by OpenTelemetry itself, which would take a wrong one for none.
    sampler: Annotated[Sampler | None, EmptyIsNone, Field(alias="OTEL_TRACES_SAMPLER")] = None
    sampler_arg: Annotated[
        Annotated[float, Field(ge=0, le=1)] | None,
        EmptyIsNone,
        Field(alias="OTEL_TRACES_SAMPLER_ARG"),
    ] = None

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
        if self.http_token_old is not None:
            if token is None:
                raise ValueError("CONNECTE_HTTP_TOKEN_OLD: not used without CONNECTE_HTTP_TOKEN")
            if not self.loopback and len(self.http_token_old.get_secret_value()) < 16:
                raise ValueError("CONNECTE_HTTP_TOKEN_OLD needs 16 characters or more")
        return self

    @model_validator(mode="after")
    def _everybody_told_apart(self) -> Self:
        if self.issuers and self.pseudonym_key is None:
            raise ValueError("CONNECTE_PSEUDONYM_KEY: needed with CONNECTE_OIDC_ISSUERS")
        for what, names in (
            ("CONNECTE_OIDC_ISSUERS: an issuer", [one.issuer for one in self.issuers]),
            ("CONNECTE_HTTP_TOKENS: a name", [one.name for one in self.narrow_tokens]),
        ):
            if len(set(names)) < len(names):
                raise ValueError(f"{what} is there twice")
        tokens = [*self.http_tokens, *(t.token.get_secret_value() for t in self.narrow_tokens)]
        if len(set(tokens)) < len(tokens):
            raise ValueError("CONNECTE_HTTP_TOKENS: a token is there twice")
        return self

    @property
    def pseudonym_secret(self) -> str:
        """What ids of people are made with; without a key of its own, the token."""
        own = self.pseudonym_key or self.http_token
        return own.get_secret_value() if own else "of a trial on one machine"

    @property
    def http_tokens(self) -> tuple[str, ...]:
        """The tokens that are taken: today's, and while it is being changed the one before."""
        given = (self.http_token, self.http_token_old)
        return tuple(token.get_secret_value() for token in given if token)

    @model_validator(mode="after")
    def _time_that_somebody_holds_on_this_machine_only(self) -> Self:
        if self.clock_file is not None and not self.loopback:
            raise ValueError(
                "CONNECTE_CLOCK_FILE is for trials on one machine: its time is turned by hand"
            )
        return self

    @model_validator(mode="after")
    def _kafka_as_it_was_meant(self) -> Self:
        """What is set for a protocol that does not use it was meant for another one."""
        sasl = {
            "KAFKA_SASL_USERNAME": bool(self.kafka_username),
            "KAFKA_SASL_PASSWORD": bool(self.kafka_password),
        }
        files = {
            "KAFKA_SSL_CAFILE": bool(self.kafka_cafile),
            "KAFKA_SSL_CERTFILE": bool(self.kafka_certfile),
            "KAFKA_SSL_KEYFILE": bool(self.kafka_keyfile),
        }
        with_sasl, with_ssl = "SASL" in self.kafka_protocol, "SSL" in self.kafka_protocol
        if with_sasl and (missing := [name for name, given in sasl.items() if not given]):
            raise ValueError(f"{' and '.join(missing)}: needed with {self.kafka_protocol}")
        unused = {**({} if with_sasl else sasl), **({} if with_ssl else files)}
        if idle := [name for name, given in unused.items() if given]:
            raise ValueError(
                f"{' and '.join(idle)}: not used with KAFKA_SECURITY_PROTOCOL={self.kafka_protocol}"
            )
        if self.kafka_keyfile and not self.kafka_certfile:
            raise ValueError("KAFKA_SSL_CERTFILE: needed with KAFKA_SSL_KEYFILE")
        if with_ssl:
            self._tls()
        return self

    def _tls(self) -> ssl.SSLContext:
        """The brokers' certificates are always checked, against these authorities or the system's.

        Raises ValueError with the name of the setting that is wrong.
        """
        try:
            context = ssl.create_default_context(cafile=self.kafka_cafile or None)
        except OSError:
            raise ValueError("KAFKA_SSL_CAFILE: no readable file of certificates (PEM)") from None
        if self.kafka_certfile:
            try:
                # A key behind a pass phrase would be asked for at the terminal.
                context.load_cert_chain(self.kafka_certfile, self.kafka_keyfile or None, "")
            except (OSError, ValueError):
                raise ValueError(
                    "KAFKA_SSL_CERTFILE and KAFKA_SSL_KEYFILE: no readable certificate with its "
                    "key (PEM, without a pass phrase)"
                ) from None
        return context

    @property
    def certificate_ends(self) -> datetime | None:
        """When the certificate that the broker is shown, or one of its chain, is valid no more."""
        if not self.kafka_certfile:
            return None
        chain = x509.load_pem_x509_certificates(Path(self.kafka_certfile).read_bytes())
        return min(one.not_valid_after_utc for one in chain)

    @property
    def kafka_connection(self) -> dict[str, Any]:
        """What every Kafka client of the service is given: servers, and how to be let in."""
        found: dict[str, Any] = {"bootstrap_servers": self.kafka.split(",")}
        if self.kafka_protocol != "PLAINTEXT":
            found["security_protocol"] = self.kafka_protocol
        if "SSL" in self.kafka_protocol:
            found["ssl_context"] = self._tls()
        if "SASL" in self.kafka_protocol and self.kafka_password is not None:
            found["sasl_mechanism"] = self.kafka_mechanism
            found["sasl_plain_username"] = self.kafka_username
            found["sasl_plain_password"] = self.kafka_password.get_secret_value()
        return found


class MailSettings(Settings):
    """What a service that writes to people needs: the mail server, and who writes."""

    smtp_host: Annotated[str, Field(alias="SMTP_HOST", min_length=1)]
    smtp_port: Annotated[int, Field(alias="SMTP_PORT", ge=1, le=65535)] = 587
    smtp_security: Annotated[Literal["none", "starttls", "tls"], Field(alias="SMTP_SECURITY")] = (
        "starttls"
    )
    smtp_username: Annotated[str | None, EmptyIsNone, Field(alias="SMTP_USERNAME")] = None
    smtp_password: Annotated[SecretStr | None, EmptyIsNone, Field(alias="SMTP_PASSWORD")] = None
    smtp_timeout: Annotated[float, Field(alias="SMTP_TIMEOUT", gt=0, le=300)] = 30.0

    mail_from: Annotated[MailAddress, Field(alias="CONNECTE_MAIL_FROM")] = (
        "connecte@programme.example"
    )
    mail_contact: Annotated[
        MailAddress | None, EmptyIsNone, Field(alias="CONNECTE_MAIL_CONTACT")
    ] = None

    @model_validator(mode="after")
    def _a_whole_account_or_none(self) -> Self:
        """Half of one was meant for a whole one: the mail server would take no letter."""
        halves = {"SMTP_USERNAME": self.smtp_username, "SMTP_PASSWORD": self.smtp_password}
        if len(empty := [name for name, given in halves.items() if not given]) == 1:
            raise ValueError(f"{empty[0]}: needed with the other of SMTP_USERNAME, SMTP_PASSWORD")
        return self


def load(kind: type[S]) -> S:
    """The settings of a service, from the environment."""
    try:
        return kind()
    except ValidationError as error:
        raise WrongSetting(
            in_one_line(error.errors(include_url=False, include_input=False))
        ) from None
