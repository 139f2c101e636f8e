"""The version of a checkout, an installation and copied code."""

import importlib.metadata
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving import version
from serving.settings import ROOT

DECLARED = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


@pytest.fixture(autouse=True)
def forget_the_version() -> Iterator[None]:
    version.inkling_version.cache_clear()
    yield
    version.inkling_version.cache_clear()


@pytest.mark.parametrize(
    ("is_checkout", "installed", "expected"),
    [(True, {"inkling": "0.0.1"}, DECLARED), (False, {"inkling": "2.0"}, "2.0"), (False, {}, "unknown")],
)
def test_a_checkout_counts_before_an_installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_checkout: bool, installed: dict[str, str], expected: str
) -> None:
    def find(name: str) -> str:
        if name not in installed:
            raise importlib.metadata.PackageNotFoundError(name)
        return installed[name]

    if not is_checkout:
        monkeypatch.setattr(version, "PROJECT", tmp_path / "pyproject.toml")
    monkeypatch.setattr(importlib.metadata, "version", find)
    assert version.inkling_version() == expected
