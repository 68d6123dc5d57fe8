"""Settings: the environment over a file, secrets from files, every fault at once by name and never with its value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from service.settings import InvalidSettings, Settings, brokers_are_given, load, unread

SECRET = "correct-horse-battery"


class Environment:
    """Sets variables and files for one test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self._monkeypatch = monkeypatch
        self._folder = folder

    def set(self, **variables: str) -> None:
        """Names without `RELAY_`."""
        for name, value in variables.items():
            self._monkeypatch.setenv(f"RELAY_{name}", value)

    def file(self, name: str, content: str | bytes) -> str:
        """The path of a file with this content."""
        path = self._folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def config(self, content: str | bytes) -> None:
        self.set(CONFIG=self.file("relay.yaml", content))


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Environment:
    return Environment(monkeypatch, tmp_path)


def faults() -> list[str]:
    """What is wrong with the settings of this process."""
    with pytest.raises(InvalidSettings) as raised:
        load()
    assert SECRET not in str(raised.value), "a fault never repeats a value"
    return raised.value.faults


def value_of(settings: Settings, path: str) -> Any:
    value: Any = settings
    for part in path.lower().split("__"):
        value = value[part] if isinstance(value, dict) else getattr(value, part)
    return value.get_secret_value() if isinstance(value, SecretStr) else value


# ── names and defaults ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("KAFKA__BOOTSTRAP_SERVERS", "localhost:9092"),
        ("KAFKA__GROUP_ID", "holdings-relay"),
        ("KAFKA__SECURITY_PROTOCOL", "PLAINTEXT"),
        ("KAFKA__SESSION_TIMEOUT_SECONDS", 45),
        ("TOPICS__PREFIX", ""),
        ("DELIVERY", "exactly_once"),
        ("FOLIO__URL", None),
        ("FOLIO__TENANT", None),
        ("SCSB__URL", None),
        ("HOLDINGSIQ__URL", None),
        ("EXPORTS__POLL_INITIAL_SECONDS", 2),
        ("EXPORTS__POLL_MAX_SECONDS", 60),
        ("EXPORTS__DEADLINE_SECONDS", 7200),
        ("EXPORTS__ROWS_PER_COMMIT", 2000),
        ("CONCURRENCY", 256),
        ("RETRY__MAX_ATTEMPTS", 8),
        ("RETRY__INITIAL_SECONDS", 0.5),
        ("RETRY__MAX_SECONDS", 60),
        ("RETRY__DEADLINE_SECONDS", 600),
        ("HTTP__HOST", "0.0.0.0"),
        ("HTTP__PORT", 8080),
        ("SHUTDOWN__GRACE_SECONDS", 25),
        ("HOLDINGS_SOURCES__CREATE_MISSING", False),
        ("LOG__LEVEL", "info"),
        ("LOG__FORMAT", "json"),
    ],
)
def test_the_contracts_defaults_hold(name: str, default: object) -> None:
    assert value_of(load(), name) == default


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("KAFKA__BOOTSTRAP_SERVERS", "a:1,b:2", "a:1,b:2"),
        ("KAFKA__GROUP_ID", "other", "other"),
        ("KAFKA__SECURITY_PROTOCOL", "SSL", "SSL"),
        ("KAFKA__SSL_CAFILE", "ca.pem", Path("ca.pem")),
        ("KAFKA__SESSION_TIMEOUT_SECONDS", "12.5", 12.5),
        ("TOPICS__PREFIX", "test.", "test."),
        ("DELIVERY", "at_least_once", "at_least_once"),
        ("CONCURRENCY", "7", 7),
        ("RETRY__MAX_ATTEMPTS", "1", 1),
        ("RETRY__INITIAL_SECONDS", "0.25", 0.25),
        ("RETRY__MAX_SECONDS", "30", 30),
        ("RETRY__DEADLINE_SECONDS", "90", 90),
        ("HTTP__HOST", "127.0.0.1", "127.0.0.1"),
        ("HTTP__PORT", "0", 0),
        ("SHUTDOWN__GRACE_SECONDS", "5", 5),
        ("HOLDINGS_SOURCES__CREATE_MISSING", "true", True),
        ("LOG__LEVEL", "debug", "debug"),
        ("LOG__FORMAT", "console", "console"),
    ],
)
def test_every_setting_can_be_given_by_its_name(name: str, text: str, value: object, environment: Environment) -> None:
    environment.set(**{name: text})

    assert value_of(load(), name) == value


def test_settings_that_go_together_can_be_given_by_their_names(environment: Environment) -> None:
    given = {
        "KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA__SASL_MECHANISM": "SCRAM-SHA-512",
        "KAFKA__SASL_USERNAME": "relay",
        "KAFKA__SASL_PASSWORD": SECRET,
        "FOLIO__TENANT": "diku",
        "FOLIO__USERNAME": "relay",
        "FOLIO__PASSWORD": SECRET,
        "FOLIO__TENANTS__other__TOKEN": SECRET,
        "FOLIO__TENANTS__third__USERNAME": "relay",
        "FOLIO__TENANTS__third__PASSWORD": SECRET,
        "SCSB__API_KEY": SECRET,
        "HOLDINGSIQ__API_KEY": SECRET,
    }
    environment.set(
        **given,
        FOLIO__URL="https://folio.example",
        SCSB__URL="https://scsb.example/gateway",
        HOLDINGSIQ__URL="https://api.example/base",
    )

    settings = load()

    assert {name: value_of(settings, name) for name in given} == given
    assert str(settings.folio.url) == "https://folio.example/"
    assert str(settings.scsb.url) == "https://scsb.example/gateway"
    assert str(settings.holdingsiq.url) == "https://api.example/base"


def test_a_token_stands_in_for_username_and_password(environment: Environment) -> None:
    environment.set(FOLIO__URL="https://folio.example", FOLIO__TENANT="diku", FOLIO__TOKEN=SECRET)

    assert value_of(load(), "FOLIO__TOKEN") == SECRET


@pytest.mark.parametrize("secret", ["12345678", "0123", "true", "null", "1e5", '{"a": 1}', "[1]", '"quoted"', " x "])
@pytest.mark.parametrize(
    "prefix", ["FOLIO__", "FOLIO__TENANTS__other__"], ids=["of the default tenant", "of a further tenant"]
)
def test_a_secret_that_looks_like_something_else_is_text(prefix: str, secret: str, environment: Environment) -> None:
    environment.set(FOLIO__TENANT="diku", **{f"{prefix}USERNAME": "1234", f"{prefix}PASSWORD": secret})

    settings = load()

    assert value_of(settings, f"{prefix}PASSWORD") == secret
    assert value_of(settings, f"{prefix}USERNAME") == "1234"


def test_settings_cannot_be_changed_afterwards() -> None:
    settings = load()

    with pytest.raises(ValueError, match="frozen"):
        setattr(settings.kafka, "group_id", "other")  # noqa: B010 - mypy would not let it be written outright


def test_no_secret_shows_in_what_settings_look_like(environment: Environment) -> None:
    environment.set(
        FOLIO__TENANT="diku",
        FOLIO__TOKEN=SECRET,
        FOLIO__TENANTS__other__TOKEN=SECRET,
        SCSB__API_KEY=SECRET,
        HOLDINGSIQ__API_KEY=SECRET,
        KAFKA__SASL_PASSWORD=SECRET,
    )

    settings = load()

    assert SECRET not in f"{settings} {settings!r} {settings.model_dump()} {settings.model_dump_json()}"


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("content", [SECRET, SECRET + "\n", SECRET + "\r\n"])
def test_a_secret_may_be_in_a_file_less_the_line_break_at_its_end(content: str, environment: Environment) -> None:
    environment.set(FOLIO__TENANT="diku", FOLIO__TOKEN_FILE=environment.file("token", content))

    assert value_of(load(), "FOLIO__TOKEN") == SECRET


def test_a_secret_of_a_further_tenant_may_be_in_a_file(environment: Environment) -> None:
    environment.set(FOLIO__TENANTS__other__TOKEN_FILE=environment.file("token", "12345678\n"))

    assert value_of(load(), "FOLIO__TENANTS__other__TOKEN") == "12345678"


def test_a_setting_that_is_the_name_of_a_file_is_not_read(environment: Environment) -> None:
    environment.set(KAFKA__SSL_CAFILE="missing.pem", KAFKA__SSL_CERTFILE="c.pem", KAFKA__SSL_KEYFILE="k.pem")

    assert value_of(load(), "KAFKA__SSL_CAFILE") == Path("missing.pem")


def test_a_setting_given_twice_is_a_fault(environment: Environment) -> None:
    environment.set(FOLIO__TENANT="diku", FOLIO__TOKEN=SECRET, FOLIO__TOKEN_FILE=environment.file("token", SECRET))

    assert faults() == ["RELAY_FOLIO__TOKEN_FILE: RELAY_FOLIO__TOKEN is given as well; give one of them"]


def test_a_file_that_cannot_be_read_is_told(environment: Environment) -> None:
    environment.set(
        FOLIO__TENANT="diku",
        FOLIO__TOKEN_FILE="missing/token",
        KAFKA__SASL_PASSWORD_FILE=environment.file("password", b"\xff\xfe"),
    )

    assert sorted(faults()) == [
        "RELAY_FOLIO__TOKEN_FILE: cannot be read: No such file or directory",
        "RELAY_KAFKA__SASL_PASSWORD_FILE: cannot be read: not UTF-8",
    ]


# ── the YAML file ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_environment_goes_over_the_file_setting_by_setting(environment: Environment) -> None:
    environment.config(
        "concurrency: 7\n"
        "retry: {max_attempts: 3, max_seconds: 20}\n"
        "folio:\n  tenants:\n    one: {token: from-file}\n    two: {token: from-file}\n"
    )
    environment.set(RETRY__MAX_ATTEMPTS="5", FOLIO__TENANTS__two__TOKEN="from-environment")

    settings = load()

    assert (settings.concurrency, settings.retry.max_attempts, settings.retry.max_seconds) == (7, 5, 20)
    assert settings.retry.deadline_seconds == 600
    assert value_of(settings, "FOLIO__TENANTS__one__TOKEN") == "from-file"
    assert value_of(settings, "FOLIO__TENANTS__two__TOKEN") == "from-environment"


@pytest.mark.parametrize("content", ["", "# nothing but a comment\n", "---\n"])
def test_an_empty_file_changes_nothing(content: str, environment: Environment) -> None:
    environment.config(content)

    assert load() == Settings()


def test_a_tenant_may_be_named_in_any_case_in_the_file(environment: Environment) -> None:
    environment.config(f"folio: {{tenants: {{University-A: {{token: {SECRET}}}}}}}\n")

    assert list(load().folio.tenants) == ["University-A"]


def test_a_file_that_is_missing_is_told(environment: Environment) -> None:
    environment.set(CONFIG="missing.yaml")

    assert faults() == ["RELAY_CONFIG: there is no file missing.yaml"]


@pytest.mark.parametrize(
    "content", ["retry: [1,\n", "a: b: c\n", b"\xff\xfe\x00", f"token: '{SECRET}\n", "- a\n- b\n", SECRET]
)
def test_a_file_that_is_not_a_yaml_mapping_is_told_by_name(content: str | bytes, environment: Environment) -> None:
    environment.config(content)

    (fault,) = faults()

    assert fault.startswith("RELAY_CONFIG: ")
    assert "relay.yaml" in fault


def test_faults_in_the_file_have_the_names_of_the_settings(environment: Environment) -> None:
    environment.config(f"retry: {{max_attempts: {SECRET}}}\nfolio: {{tenants: {{other: {{passwort: {SECRET}}}}}}}\n")

    told = faults()

    assert any(fault.startswith("RELAY_RETRY__MAX_ATTEMPTS: ") for fault in told)
    assert any(fault.startswith("RELAY_FOLIO__TENANTS__OTHER__PASSWORT: ") for fault in told)


def test_a_setting_that_does_not_exist_is_told_wherever_it_is(environment: Environment) -> None:
    environment.config("retries: 3\n")
    environment.set(KAFKA__BOOTSTRAP_SERVER="a:1")

    assert sorted(fault.split(":")[0] for fault in faults()) == ["RELAY_KAFKA__BOOTSTRAP_SERVER", "RELAY_RETRIES"]


# ── faults ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_fault_is_told_at_once_by_name_and_never_with_its_value(environment: Environment) -> None:
    environment.set(
        CONCURRENCY=SECRET,
        DELIVERY=SECRET,
        RETRY__MAX_ATTEMPTS="0",
        RETRY__MAX_SECONDS="-1",
        HTTP__PORT="70000",
        TOPICS__PREFIX=f"{SECRET} with a blank",
        LOG__LEVEL=SECRET,
        FOLIO__URL=SECRET,
        SCSB__API_KEY_FILE="missing",
        HOLDINGSIQ__API_KEY_FILE="missing",
        EXPORTS__ROWS_PER_COMMIT="0",
        EXPORTS__DEADLINE_SECONDS="0",
        KAFKA__SECURITY_PROTOCOL=SECRET,
    )

    assert {fault.split(":")[0] for fault in faults()} == {
        "RELAY_CONCURRENCY",
        "RELAY_DELIVERY",
        "RELAY_RETRY__MAX_ATTEMPTS",
        "RELAY_RETRY__MAX_SECONDS",
        "RELAY_HTTP__PORT",
        "RELAY_TOPICS__PREFIX",
        "RELAY_LOG__LEVEL",
        "RELAY_FOLIO__URL",
        "RELAY_SCSB__API_KEY_FILE",
        "RELAY_HOLDINGSIQ__API_KEY_FILE",
        "RELAY_EXPORTS__ROWS_PER_COMMIT",
        "RELAY_EXPORTS__DEADLINE_SECONDS",
        "RELAY_KAFKA__SECURITY_PROTOCOL",
    }


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        (
            {"KAFKA__SECURITY_PROTOCOL": "SASL_SSL", "KAFKA__SASL_USERNAME": "relay"},
            "RELAY_KAFKA__SASL_MECHANISM: is needed with SASL_SSL",
        ),
        ({"KAFKA__SSL_CERTFILE": "c.pem"}, "RELAY_KAFKA__SSL_KEYFILE: is needed with SSL_CERTFILE"),
        (
            {"KAFKA__SASL_OAUTH_TOKEN_URL": f"https://relay:{SECRET}@issuer.example/token"},
            "RELAY_KAFKA__SASL_OAUTH_TOKEN_URL: must not hold a name or a password",
        ),
        ({"KAFKA__SSL_KEYFILE": "k.pem"}, "RELAY_KAFKA__SSL_CERTFILE: is needed with SSL_KEYFILE"),
        (
            {"FOLIO__TENANT": "diku", "FOLIO__TOKEN": SECRET, "FOLIO__USERNAME": "u", "FOLIO__PASSWORD": SECRET},
            "RELAY_FOLIO: either TOKEN or USERNAME with PASSWORD, not both",
        ),
        ({"FOLIO__TENANT": "diku", "FOLIO__USERNAME": "u"}, "RELAY_FOLIO: USERNAME and PASSWORD go together"),
        ({"FOLIO__TOKEN": SECRET}, "RELAY_FOLIO: TENANT is needed: it says whose the credentials are"),
        (
            {"FOLIO__URL": "https://folio.example"},
            "RELAY_FOLIO: URL needs TOKEN, or USERNAME with PASSWORD, or credentials under TENANTS",
        ),
        (
            {"FOLIO__TENANTS__other__USERNAME": "relay"},
            "RELAY_FOLIO__TENANTS__OTHER: USERNAME and PASSWORD go together",
        ),
        ({"SCSB__URL": "https://scsb.example"}, "RELAY_SCSB: URL needs API_KEY"),
        ({"HOLDINGSIQ__URL": "https://api.example"}, "RELAY_HOLDINGSIQ: URL needs API_KEY"),
        ({"EXPORTS__POLL_MAX_SECONDS": "1"}, "RELAY_EXPORTS: POLL_INITIAL_SECONDS is over POLL_MAX_SECONDS"),
        ({"RETRY__INITIAL_SECONDS": "90"}, "RELAY_RETRY: INITIAL_SECONDS is over MAX_SECONDS"),
    ],
)
def test_settings_that_do_not_go_together_are_told(given: dict[str, str], fault: str, environment: Environment) -> None:
    environment.set(**given)

    assert faults() == [fault]


@pytest.mark.parametrize(
    ("mechanism", "needed"),
    [
        ("PLAIN", ["SASL_USERNAME", "SASL_PASSWORD"]),
        ("SCRAM-SHA-256", ["SASL_USERNAME", "SASL_PASSWORD"]),
        ("SCRAM-SHA-512", ["SASL_USERNAME", "SASL_PASSWORD"]),
        ("OAUTHBEARER", ["SASL_OAUTH_TOKEN_URL", "SASL_OAUTH_CLIENT_ID", "SASL_OAUTH_CLIENT_SECRET"]),
    ],
)
@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
def test_everything_that_a_mechanism_needs_is_told_at_once_by_name(
    protocol: str, mechanism: str, needed: list[str], environment: Environment
) -> None:
    environment.set(KAFKA__SECURITY_PROTOCOL=protocol, KAFKA__SASL_MECHANISM=mechanism)

    assert faults() == [f"RELAY_KAFKA__{name}: is needed with {mechanism}" for name in needed]


def test_what_is_wrong_about_kafka_is_told_beside_what_is_missing(environment: Environment) -> None:
    environment.set(
        KAFKA__SECURITY_PROTOCOL="SASL_SSL",
        KAFKA__SASL_MECHANISM="PLAIN",
        KAFKA__SESSION_TIMEOUT_SECONDS="0",
        KAFKA__SSL_CERTFILE="c.pem",
        CONCURRENCY="0",
    )

    assert sorted(fault.split(":")[0] for fault in faults()) == [
        "RELAY_CONCURRENCY",
        "RELAY_KAFKA__SASL_PASSWORD",
        "RELAY_KAFKA__SASL_USERNAME",
        "RELAY_KAFKA__SESSION_TIMEOUT_SECONDS",
        "RELAY_KAFKA__SSL_KEYFILE",
    ]


def test_files_for_tls_are_looked_at_where_tls_is_spoken_and_each_fault_is_told(environment: Environment) -> None:
    environment.set(
        KAFKA__SECURITY_PROTOCOL="SSL",
        KAFKA__SSL_CAFILE="missing.pem",
        KAFKA__SSL_CERTFILE=environment.file("c.pem", "no certificate"),
        KAFKA__SSL_KEYFILE=environment.file("k.pem", SECRET),
    )

    told = faults()

    assert [fault.split(":")[0] for fault in told] == [
        "RELAY_KAFKA__SSL_CAFILE",
        "RELAY_KAFKA__SSL_CERTFILE",
        "RELAY_KAFKA__SSL_KEYFILE",
    ]
    assert told[0] == "RELAY_KAFKA__SSL_CAFILE: missing.pem cannot be read: No such file or directory"


def test_the_authorities_of_the_token_endpoint_are_looked_at_too(environment: Environment) -> None:
    environment.set(
        KAFKA__SECURITY_PROTOCOL="SASL_PLAINTEXT",
        KAFKA__SASL_MECHANISM="OAUTHBEARER",
        KAFKA__SASL_OAUTH_TOKEN_URL="https://issuer.example/token",
        KAFKA__SASL_OAUTH_CLIENT_ID="relay",
        KAFKA__SASL_OAUTH_CLIENT_SECRET=SECRET,
        KAFKA__SASL_OAUTH_CAFILE="missing.pem",
    )

    assert faults() == ["RELAY_KAFKA__SASL_OAUTH_CAFILE: missing.pem cannot be read: No such file or directory"]


@pytest.mark.parametrize("section", ["KAFKA", "FOLIO"])
def test_a_section_that_is_no_section_is_told_by_name(section: str, environment: Environment) -> None:
    environment.set(**{section: SECRET})

    (fault,) = faults()

    assert section in fault.upper()


# ── the demonstration ───────────────────────────────────────────────────────────────────────────────────────────────


def test_brokers_are_given_by_the_environment_or_by_the_file(environment: Environment) -> None:
    nowhere = brokers_are_given()
    environment.config("kafka: {group_id: other}\n")
    not_in_the_file = brokers_are_given()
    environment.config("kafka: {bootstrap_servers: 'localhost:9092'}\n")
    in_the_file = brokers_are_given()
    environment.config("")
    environment.set(KAFKA__BOOTSTRAP_SERVERS="localhost:9092")

    assert (nowhere, not_in_the_file, in_the_file, brokers_are_given()) == (False, False, True, True)


# ── descriptions ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_setting_says_what_it_is_for() -> None:
    def undescribed(model: type[BaseModel], path: str) -> list[str]:
        missing: list[str] = []
        for name, field in model.model_fields.items():
            inner = field.annotation
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                missing += undescribed(inner, f"{path}{name}__")
            elif not field.description:
                missing.append(f"{path}{name}")
        return missing

    assert undescribed(Settings, "") == []


def test_a_variable_that_is_no_setting_is_told_with_the_one_that_may_be_meant(environment: Environment) -> None:
    environment.set(KAFKA_BOOTSTRAP_SERVERS="kafka:9092", CONCURENCY="8", TEA="green")

    assert unread() == [
        "RELAY_CONCURENCY is no setting; is RELAY_CONCURRENCY meant?",
        "RELAY_KAFKA_BOOTSTRAP_SERVERS is no setting; is RELAY_KAFKA__BOOTSTRAP_SERVERS meant?",
        "RELAY_TEA is no setting",
    ]


def test_settings_and_files_that_hold_them_are_not_told_as_unread(environment: Environment) -> None:
    environment.set(
        CONCURRENCY_FILE=environment.file("concurrency", "8"), KAFKA__GROUP_ID="relay", DELIVERY="exactly_once"
    )
    environment.set(FOLIO__TENANTS__diku__TOKEN=SECRET)
    environment.config("")

    assert unread() == []
