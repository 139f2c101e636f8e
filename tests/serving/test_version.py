"""The version of a checkout, an installation and copied code."""

import importlib.metadata
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from serving import version
from serving.settings import ROOT

DECLARED = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    """Nothing is remembered of another test, nor for one."""
    version.inkling_version.cache_clear()
    yield
    version.inkling_version.cache_clear()


def test_the_service_reports_the_version_of_pyproject_toml(client: TestClient) -> None:
    assert client.get("/v2").json()["version"] == DECLARED
    assert client.get("/openapi.json").json()["info"]["version"] == DECLARED


def test_a_checkout_ignores_the_installed_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "0.0.1")
    assert version.inkling_version() == DECLARED


def test_without_a_checkout_the_installed_version_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(version, "PROJECT", tmp_path / "pyproject.toml")
    monkeypatch.setattr(importlib.metadata, "version", {"inkling": "2.0"}.__getitem__)
    assert version.inkling_version() == "2.0"


def test_copied_code_has_no_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(version, "PROJECT", tmp_path / "pyproject.toml")
    monkeypatch.setattr(importlib.metadata, "version", none)
    assert version.inkling_version() == "unknown"
