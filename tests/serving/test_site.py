"""The page for a static host."""

import json
import re
import shutil
from pathlib import Path

import pytest

from serving import site
from serving.api.predict import RUNTIME
from serving.errors import StartError
from tests.project import ROOT
from tests.serving.conftest import MODEL


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """The page's folder with files in place of the runtime."""
    folder = tmp_path / "web"
    shutil.copytree(ROOT / "web", folder, ignore=shutil.ignore_patterns("*.wasm", "*.mjs"))
    for name in RUNTIME:
        (folder / name).write_text("runtime")
    return folder


def test_the_site_has_what_its_page_loads_and_no_more_of_the_service(web: Path, tmp_path: Path) -> None:
    site.build(tmp_path / "site", MODEL, web)
    page = (tmp_path / "site/index.html").read_text()
    loaded = re.findall(r'(?:src|href)="([\w/.-]+\.[a-z]+)"', page)
    assert {"css/page.css", "js/theme-boot.js", "page.js"} <= set(loaded)
    assert [name for name in [*loaded, *RUNTIME, "sw.js"] if not (tmp_path / "site" / name).is_file()] == []
    assert (tmp_path / "site/api/model.onnx").read_bytes() == MODEL.read_bytes()
    card = json.loads((tmp_path / "site/api/model").read_text())
    assert card["service"] == {"collects": False, "runtime": True}
    assert card["size_bytes"] == MODEL.stat().st_size
    assert '<html lang="en" data-service="none">' in page
    assert "script-src 'self'; " in page
    assert not list((tmp_path / "site").rglob("docs*"))


def test_a_page_without_the_runtime_names_the_command(web: Path, tmp_path: Path) -> None:
    (web / RUNTIME[0]).unlink()
    with pytest.raises(StartError, match="make runtime"):
        site.build(tmp_path / "site", MODEL, web)


def test_the_command_reports_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], web: Path
) -> None:
    monkeypatch.setattr("sys.argv", ["serving.site", str(web), "--web", str(web)])
    assert site.main() == 1
    assert "not empty" in capsys.readouterr().err
