"""The settings: the only reader of the environment. Validated whole at start; every fault is reported at once, by name.

Environment (`RELAY_` prefix, `__` between levels) over an optional YAML file (`RELAY_CONFIG`). Any setting may
instead be given as a file that holds its value, by the name with `_FILE` behind it: meant for mounted secrets.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    AnyHttpUrl,
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from service.kafka_security import OAUTH, SASL_PROTOCOLS, TLS_PROTOCOLS, missing_in
from service.settings_sources import CONFIG, PREFIX, EnvironmentWithFiles, NotAMapping, sources, unread_variables
from service.tls import TlsFiles, faults_of

Seconds = Annotated[float, Field(gt=0)]
Port = Annotated[int, Field(ge=0, le=65535)]


class InvalidSettings(Exception):
    """One line for each fault, each beginning with the name of the setting."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class KafkaSettings(Section):
    bootstrap_servers: str = Field(
        "localhost:9092", min_length=1, description="Brokers to begin with, comma-separated."
    )
    group_id: str = Field(
        "holdings-relay", min_length=1, description="Consumer group, and the stem of the transactional ids."
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How the brokers are spoken to."
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] | None = Field(
        None, description="Needed with a SASL protocol."
    )
    sasl_username: str | None = Field(None, description="Needed with PLAIN and SCRAM.")
    sasl_password: SecretStr | None = Field(None, description="Needed with PLAIN and SCRAM.")
    sasl_oauth_token_url: AnyHttpUrl | None = Field(
        None, description="Needed with OAUTHBEARER: where a token is got by the client-credentials grant."
    )
    sasl_oauth_client_id: str | None = Field(None, description="Needed with OAUTHBEARER.")
    sasl_oauth_client_secret: SecretStr | None = Field(None, description="Needed with OAUTHBEARER.")
    sasl_oauth_scope: str | None = Field(None, description="Asked for with the token; several are parted by spaces.")
    sasl_oauth_cafile: Path | None = Field(
        None, description="Authorities to trust at the token endpoint in place of the system's own."
    )
    ssl_cafile: Path | None = Field(None, description="Authorities to trust in place of the system's own.")
    ssl_certfile: Path | None = Field(None, description="The worker's own certificate.")
    ssl_keyfile: Path | None = Field(None, description="The key of the certificate.")
    ssl_key_password: SecretStr | None = Field(None, description="Of the key, where it is encrypted.")
    session_timeout_seconds: Seconds = Field(45, description="After this long without a sign a worker counts as gone.")
    rebalance_timeout_seconds: Seconds = Field(60, description="How long a rebalance waits for calls under way.")
    transaction_interval_seconds: float = Field(
        0.025,
        ge=0,
        le=5,
        description="In `exactly_once`, from one transaction of a partition to its next; a quiet partition's begins at "
        "once. A longer one spares the brokers, and delays results.",
    )
    position_interval_seconds: Seconds = Field(
        0.1, le=5, description="Within which offsets follow the results in `at_least_once`; a crash repeats that much."
    )

    @property
    def uses_tls(self) -> bool:
        return self.security_protocol in TLS_PROTOCOLS

    @property
    def uses_sasl(self) -> bool:
        return self.security_protocol in SASL_PROTOCOLS

    @property
    def uses_oauth(self) -> bool:
        return self.uses_sasl and self.sasl_mechanism == OAUTH

    @property
    def tls_files(self) -> TlsFiles:
        password = self.ssl_key_password.get_secret_value() if self.ssl_key_password else None
        return TlsFiles(self.ssl_cafile, self.ssl_certfile, self.ssl_keyfile, password)

    @model_validator(mode="wrap")
    @classmethod
    def _complete(cls, given: Any, make: ModelWrapValidatorHandler[Self]) -> Self:
        """What is missing is told beside what is wrong, each by the name of its setting."""
        faults: list[InitErrorDetails] = []
        made: Self | None = None
        try:
            made = make(given)
        except ValidationError as refused:
            faults += [_named(error["loc"], error["msg"]) for error in refused.errors(include_input=False)]
        asked = made.model_dump(exclude_none=True) if made is not None else given if isinstance(given, Mapping) else {}
        wrong = {fault["loc"][0] for fault in faults if fault["loc"]}
        faults += [_named((name,), told) for name, told in missing_in(asked) if name not in wrong]
        if made is not None and made.uses_tls:
            faults += [_named((f"ssl_{fault.which}",), str(fault)) for fault in faults_of(made.tls_files)]
        url = made.sasl_oauth_token_url if made is not None else None
        if url is not None and (url.username or url.password):
            faults.append(_named(("sasl_oauth_token_url",), "must not hold a name or a password"))
        if made is not None and made.uses_oauth:
            trusted = TlsFiles(made.sasl_oauth_cafile)
            faults += [_named(("sasl_oauth_cafile",), str(fault)) for fault in faults_of(trusted)]
        if made is None or faults:
            raise ValidationError.from_exception_data(cls.__name__, faults)
        return made


def _named(location: tuple[int | str, ...], message: str) -> InitErrorDetails:
    return InitErrorDetails(type=PydanticCustomError("setting", "{told}", {"told": message}), loc=location, input=None)


class TopicSettings(Section):
    prefix: str = Field("", pattern=r"^[a-zA-Z0-9._-]*$", description="Put before every topic name, in and out.")
    replication_factor: int = Field(
        0, ge=0, description="Of topics that `topics` creates; 0 is three, or as many as there are brokers."
    )


class Credentials(Section):
    token: SecretStr | None = Field(None, description="A token that does not expire.")
    username: str | None = Field(None, min_length=1, description="For a login, renewed before it expires.")
    password: SecretStr | None = Field(None, description="Goes with the username.")

    @property
    def given(self) -> bool:
        return bool(self.token or self.username or self.password)

    @model_validator(mode="after")
    def _either(self) -> Self:
        if self.token and (self.username or self.password):
            raise ValueError("either TOKEN or USERNAME with PASSWORD, not both")
        if bool(self.username) != bool(self.password):
            raise ValueError("USERNAME and PASSWORD go together")
        return self


class TenantCredentials(Credentials):
    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.given:
            raise ValueError("TOKEN or USERNAME with PASSWORD is needed")
        return self


class FolioSettings(Credentials):
    url: AnyHttpUrl | None = Field(
        None, description="The gateway before eholdings, inventory-update, holdings-sources."
    )
    tenant: str | None = Field(None, pattern=r"^[A-Za-z0-9_.-]+$", description="Of events that name no tenant.")
    tenants: dict[str, TenantCredentials] = Field(default_factory=dict, description="Credentials of further tenants.")

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if self.given and not self.tenant:
            raise ValueError("TENANT is needed: it says whose the credentials are")
        if self.url and not (self.given or self.tenants):
            raise ValueError("URL needs TOKEN, or USERNAME with PASSWORD, or credentials under TENANTS")
        return self


class ScsbSettings(Section):
    url: AnyHttpUrl | None = Field(None, description="The SCSB gateway.")
    api_key: SecretStr | None = Field(None, description="Sent as `api_key`.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.url and not self.api_key:
            raise ValueError("URL needs API_KEY")
        return self


class HoldingsIqSettings(Section):
    url: AnyHttpUrl | None = Field(None, description="HoldingsIQ, up to where `/rm` begins.")
    api_key: SecretStr | None = Field(None, description="Sent as `x-api-key`.")
    check_cust_id: str | None = Field(
        None,
        min_length=1,
        description="A customer whose exports `check` lists, to try the key on; none is needed else.",
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.url and not self.api_key:
            raise ValueError("URL needs API_KEY")
        return self


class ExportSettings(Section):
    poll_initial_seconds: Seconds = Field(2, description="From the first look at an export to the second.")
    poll_max_seconds: Seconds = Field(60, description="The longest pause between two looks; each is twice the last.")
    deadline_seconds: Seconds = Field(7200, description="For an export to be completed, from when it was asked for.")
    rows_per_commit: int = Field(
        2000, ge=1, le=10_000, description="Rows published at a time, at most; also about 1 MB."
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.poll_initial_seconds > self.poll_max_seconds:
            raise ValueError("POLL_INITIAL_SECONDS is over POLL_MAX_SECONDS")
        return self


class RetrySettings(Section):
    max_attempts: int = Field(8, ge=1, description="Of one operation, the first included.")
    initial_seconds: Seconds = Field(0.5, description="The shortest pause.")
    max_seconds: Seconds = Field(60, description="The longest pause, unless the system names a longer one.")
    deadline_seconds: Seconds = Field(
        600, description="Of one operation; waiting for credentials or a quota does not count."
    )

    share_of_load: float = Field(
        0.2, ge=0, lt=1, description="Of all attempts at a system, how many may be repeats while there is load."
    )
    per_second: float = Field(
        10, gt=0, description="Repeats at a system that are allowed in any case; those over both wait for their turn."
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.initial_seconds > self.max_seconds:
            raise ValueError("INITIAL_SECONDS is over MAX_SECONDS")
        return self


class HttpSettings(Section):
    host: str = Field("0.0.0.0", min_length=1, description="Where health and metrics listen.")  # noqa: S104 - probes come from outside
    port: Port = Field(8080, description="0 turns health and metrics off.")


class ShutdownSettings(Section):
    grace_seconds: Seconds = Field(25, description="After SIGTERM, for what has begun.")


class HoldingsSourcesSettings(Section):
    create_missing: bool = Field(
        False, description="Create a holdings source that a record set names and nobody has made."
    )


class LimitSettings(Section):
    calls_per_system: int = Field(
        0, ge=0, description="Calls under way to one system for one tenant; 0 is fifteen sixteenths of the concurrency."
    )
    adaptive: bool = Field(
        False,
        description="Give eholdings, holdings-sources and SCSB fewer calls at a time while they are slower than usual.",
    )
    updates_together: int = Field(
        100,
        ge=1,
        description="Updates of one eholdings resource that wait for it and leave as one; 1 lets each leave by itself.",
    )
    event_bytes: int = Field(1_000_000, ge=1, description="A larger value is dead-lettered as `too-large`.")
    buffered_records: int = Field(10_000, ge=1, description="Received and not settled, in one worker.")
    buffered_bytes: int = Field(64 * 1024 * 1024, ge=1, description="Received and not settled, in one worker.")


class MetricsSettings(Section):
    interval_seconds: float = Field(
        15, ge=0, description="Between two events of a worker on `holdings.metrics`; 0 publishes none."
    )


class TraceSettings(Section):
    enabled: bool = Field(
        False, description="Send traces to an OpenTelemetry collector; needs the extra `otel`. See docs/traces.md."
    )


class LogSettings(Section):
    level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least that is logged.")
    format: Literal["json", "console"] = Field("json", description="For machines or for people.")


class Settings(BaseSettings):
    """All settings of the relay."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    kafka: KafkaSettings = KafkaSettings()
    topics: TopicSettings = TopicSettings()
    delivery: Literal["exactly_once", "at_least_once"] = Field(
        "exactly_once", description="Of results; see the README."
    )
    folio: FolioSettings = FolioSettings()
    scsb: ScsbSettings = ScsbSettings()
    holdingsiq: HoldingsIqSettings = HoldingsIqSettings()
    exports: ExportSettings = ExportSettings()
    concurrency: int = Field(256, ge=1, description="Events in flight in one worker.")
    retry: RetrySettings = RetrySettings()
    http: HttpSettings = HttpSettings()
    shutdown: ShutdownSettings = ShutdownSettings()
    holdings_sources: HoldingsSourcesSettings = HoldingsSourcesSettings()
    limits: LimitSettings = LimitSettings()
    metrics: MetricsSettings = MetricsSettings()
    traces: TraceSettings = TraceSettings()
    log: LogSettings = LogSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings, *sources(settings_cls))


def load() -> Settings:
    """The settings of this process. Raises `InvalidSettings` with every fault, none of which repeats a value."""
    path = os.environ.get(CONFIG)
    if path and not Path(path).is_file():
        raise InvalidSettings([f"{CONFIG}: there is no file {path}"])
    faults = list(EnvironmentWithFiles(Settings).faults)
    try:
        settings = Settings()
    except ValidationError as error:
        faults += [_fault(e["loc"], e["msg"]) for e in error.errors(include_input=False)]
    except NotAMapping:
        faults.append(f"{CONFIG}: {path} does not hold a mapping of settings")
    except SettingsError as error:
        faults.append(f"{PREFIX}…: {error}")
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else type(error).__name__
        faults.append(f"{CONFIG}: {path} is not YAML ({where})")
    else:
        if not faults:
            return settings
    raise InvalidSettings(faults)


def unread() -> list[str]:
    """Variables that begin like settings and are none, in words. They are nobody's fault for certain: what runs beside
    the relay may have given them."""
    return unread_variables(list(names(Settings, PREFIX)))


def names(model: type[BaseModel], prefix: str) -> Iterator[str]:
    """Of all settings, in full; those of each tenant are left out."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from names(field.annotation, f"{prefix}{name.upper()}__")
        else:
            yield prefix + name.upper()


def brokers_are_given() -> bool:
    """Whether any source names bootstrap servers, be it the default itself. For the demonstration, which starts a
    broker where none is named. To be asked after `load`, which reports what is wrong with the sources."""
    return any("bootstrap_servers" in (source().get("kafka") or {}) for source in sources(Settings))


def _fault(location: tuple[int | str, ...], message: str) -> str:
    name = PREFIX + "__".join(str(part).upper() for part in location)
    return f"{name}: {message.removeprefix('Value error, ')}"
