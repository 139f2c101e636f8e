"""Read the contents of files and the commits that introduced them. All functions raise GitError if git fails."""

import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.tracking.git import git


@dataclass(frozen=True)
class Commit:
    """A commit: its 40 hex digits, its date as 2026-11-23, the first line of its message."""

    id: str
    date: str
    subject: str


def commits_by_content(path: str, directory: Path) -> dict[str, list[Commit]]:
    """Map each content that a file ever had (its object ID) to the commits that introduced it, oldest first.

    Commits of all branches, tags and experiments count. `path` is relative to `directory`.
    """
    # Also follow branches whose content a merge dropped. A merge counts only if it introduced content itself.
    options = ["--all", "--reverse", "--full-history", "-c", "--root", "--raw", "--no-abbrev", "--no-renames"]
    log = git(directory, "log", *options, "--format=%H%x09%cs%x09%s", "--", path).decode(errors="replace")
    found: dict[str, list[Commit]] = {}
    head = ""
    for line in log.splitlines():
        if line.startswith(
            ":"
        ):  # a change of the commit above: modes, object IDs (the last is the new one), a letter, the path
            new = line.partition("\t")[0].split()[-2]
            if new.strip("0"):  # zeros stand for a removed file
                found.setdefault(new, []).append(Commit(*head.split("\t", 2)))
        elif line:
            head = line
    return found


def contents(names: Sequence[str], directory: Path) -> Iterator[bytes | None]:
    """Yield the content of each file, or None if there is none. A name is an object ID or `COMMIT:./PATH`."""
    stdin = "".join(f"{name}\n" for name in names).encode()
    output = io.BytesIO(git(directory, "cat-file", "--batch", stdin=stdin) if names else b"")
    for _ in names:
        header = output.readline()
        # Such as "HEAD:./a b missing": a path with a space looks like the three words of an existing file.
        if header.endswith((b" missing\n", b" ambiguous\n")):
            yield None
            continue
        _, kind, size = header.split()
        content = output.read(int(size))
        output.read(1)  # the line feed
        yield content if kind == b"blob" else None


def directory_md5(commit: str, path: str, directory: Path) -> str | None:
    """Return the MD5 that dvc.lock would have for a directory of a commit, such as "65e...a1.dir", or None."""
    paths = git(directory, "ls-tree", "-r", "-z", "--name-only", commit, "--", path).decode().split("\0")[:-1]
    paths.sort(key=lambda name: name.split("/"))
    listed = [
        {"md5": hashlib.md5(file or b"").hexdigest(), "relpath": name.removeprefix(f"{path}/")}  # noqa: S324 - DVC's
        for name, file in zip(paths, contents([f"{commit}:./{name}" for name in paths], directory), strict=True)
    ]
    return f"{hashlib.md5(json.dumps(listed).encode()).hexdigest()}.dir" if listed else None  # noqa: S324
