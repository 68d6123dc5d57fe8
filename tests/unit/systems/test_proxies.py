"""The customary proxy variables."""

from __future__ import annotations

import httpx
import pytest

from service.systems.proxies import Proxy, environment_proxy

SYSTEM = httpx.URL("https://folio.example/okapi")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_without_variables_calls_are_direct() -> None:
    assert environment_proxy(SYSTEM) is None


def test_the_variable_of_the_scheme_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")

    assert environment_proxy(SYSTEM) == Proxy("http://proxy.example:3128")
    assert environment_proxy(httpx.URL("http://folio.example/")) is None


@pytest.mark.parametrize("excepted", ["folio.example", ".example", "other.example, folio.example", "*"])
def test_hosts_that_are_excepted_are_called_directly(monkeypatch: pytest.MonkeyPatch, excepted: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", excepted)

    assert environment_proxy(SYSTEM) is None


def test_an_exception_may_name_the_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "folio.example:9130")

    assert environment_proxy(httpx.URL("https://folio.example:9130/")) is None
    assert environment_proxy(SYSTEM) is not None


def test_credentials_are_taken_out_of_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://us%40er:p%3Aw@proxy.example:3128")

    assert environment_proxy(SYSTEM) == Proxy("http://proxy.example:3128", "Basic dXNAZXI6cDp3")


def test_an_address_without_a_scheme_is_plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")

    assert environment_proxy(SYSTEM) == Proxy("http://proxy.example:3128")
