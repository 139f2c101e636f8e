"""What people do to a checkout: link its environment, or clone it with the line ends of another system."""

import shutil
import subprocess

from tests.project import ENVIRONMENT, ROOT, run


def test_an_environment_behind_a_link_is_not_touched(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements/all.txt").touch()
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/file").touch()
    (tmp_path / ".venv").symlink_to("shared")
    made = subprocess.run(["make", "test"], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert made.returncode != 0
    assert "`make VENV=.venv ...` uses it as it is" in made.stderr
    assert [file.name for file in (tmp_path / "shared").iterdir()] == ["file"]
    shutil.copy(ROOT / ".gitignore", tmp_path)
    run(tmp_path, "git", "init", "-q")
    assert ".venv" not in run(tmp_path, "git", "status", "--short")


def test_a_clone_has_the_same_bytes_where_git_converts_line_ends(tmp_path):
    run(tmp_path, "git", "clone", "-q", "--depth=1", "-c", "core.autocrlf=true", f"file://{ROOT}", "clone")
    listed = run(tmp_path / "clone", "git", "ls-files", "--eol")
    assert "w/lf" in listed
    assert "w/crlf" not in listed
