"""Run git, for code that observes: no stage depends on this module."""

import subprocess
from pathlib import Path

from pipeline.base.errors import InklingError


class GitError(InklingError):
    """git can't be run, or it fails, such as outside a repository."""


def git(directory: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    """Run git in a directory and return what it printed, or raise GitError."""
    try:
        run = subprocess.run(["git", *arguments], cwd=directory, input=stdin, capture_output=True, check=False)
    except OSError as error:
        raise GitError(f"git can't be run ({error})") from error
    if run.returncode:
        raise GitError(f"git reports: {run.stderr.decode(errors='replace').strip()}")
    return run.stdout
