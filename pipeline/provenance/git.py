"""What git has of a file: its contents, and the commits that brought them. Nothing is ever written."""

import hashlib
import json
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.base.errors import InklingError


# In no module that a stage imports: a change there would train anew.
class GitError(InklingError):
    """There is no git, or no repository."""


@dataclass(frozen=True)
class Commit:
    """A commit.

    Attributes:
        id: 40 hex digits.
        date: of the commit, as 2026-11-23.
        subject: first line of its message.
    """

    id: str
    date: str
    subject: str


def commits_by_content(path: str, directory: Path) -> dict[str, list[Commit]]:
    """The commits of all branches, tags and experiments that brought a content of a file, the oldest first.

    Args:
        path: of the file, from `directory`.
        directory: in the repository.

    Returns:
        By the content's object ID. A commit that left the file as it was is not among them.

    Raises:
        GitError: there is no git, or no repository.
    """
    # Branches whose content a merge dropped are followed too, and a merge counts where it brought a content itself.
    options = ["--all", "--reverse", "--full-history", "-c", "--root", "--raw", "--no-abbrev", "--no-renames"]
    found: dict[str, list[Commit]] = {}
    head = ""
    for line in _git(directory, "log", *options, "--format=%H%x09%cs%x09%s", "--", path).splitlines():
        if line.startswith(":"):  # of the commit above: modes, object IDs (the last is the new one), a letter, the path
            new = line.partition("\t")[0].split()[-2]
            if new.strip("0"):  # else it was removed
                found.setdefault(new, []).append(Commit(*head.split("\t", 2)))
        elif line:
            head = line
    return found


def contents(names: Iterable[str], directory: Path) -> Iterator[bytes | None]:
    """The content of each of these files; None: there is no such file.

    Args:
        names: object IDs, or `COMMIT:./PATH` with the path from `directory`.
        directory: in the repository.

    Raises:
        GitError: there is no git, or no repository.
    """
    is_shallow(directory)  # says what is wrong, if anything is
    command = ["git", "cat-file", "--batch"]
    with subprocess.Popen(command, cwd=directory, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as git:
        assert git.stdin
        assert git.stdout
        for name in names:
            git.stdin.write(f"{name}\n".encode())
            git.stdin.flush()
            told = git.stdout.readline()
            # Such as "HEAD:./a b missing": a path with a space looks like the three words of one that is there.
            if told.endswith((b" missing\n", b" ambiguous\n")):
                yield None
                continue
            _, kind, size = told.split()
            content = git.stdout.read(int(size))
            git.stdout.read(1)
            yield content if kind == b"blob" else None


def directory_md5(commit: str, path: str, directory: Path) -> str | None:
    """Return the MD5 by which dvc.lock names a directory of a commit, such as "65e...a1.dir"; None: there is none.

    Args:
        commit: as git takes it.
        path: of the directory, from `directory`.
        directory: in the repository.

    Raises:
        GitError: there is no git, or no repository.
    """
    names = _git(directory, "ls-tree", "-r", "-z", "--name-only", f"{commit}:./{path}", check=False).split("\0")[:-1]
    files = zip(names, contents([f"{commit}:./{path}/{name}" for name in names], directory), strict=True)
    listed = [{"md5": hashlib.md5(file or b"").hexdigest(), "relpath": name} for name, file in files]  # noqa: S324 - DVC's
    listed.sort(key=lambda entry: tuple(entry["relpath"].split("/")))
    return f"{hashlib.md5(json.dumps(listed).encode()).hexdigest()}.dir" if listed else None  # noqa: S324


def content(name: str, directory: Path) -> bytes | None:
    """The content of one file; as `contents`."""
    return next(contents([name], directory))


def is_shallow(directory: Path) -> bool:
    """Whether the clone lacks older commits.

    Raises:
        GitError: there is no git, or no repository.
    """
    return _git(directory, "rev-parse", "--is-shallow-repository").strip() == "true"


def _git(directory: Path, *arguments: str, check: bool = True) -> str:
    try:
        run = subprocess.run(["git", *arguments], cwd=directory, capture_output=True, check=False)
    except OSError as error:
        raise GitError(f"git can't be run ({error})") from error
    if check and run.returncode:
        raise GitError(f"git says: {run.stderr.decode(errors='replace').strip()}")
    return run.stdout.decode(errors="replace")
