"""Execute a Dockerfile without a container engine: its steps, user and entry point run in namespaces.

Each stage is a folder that becomes the root. Python and the system's libraries are this machine's own, mounted
read-only, instead of the base image's. Only the instructions that `deploy/Dockerfile` uses are known.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

SYSTEM = ("usr", "bin", "sbin", "lib", "lib64", "etc", "dev", sys.base_prefix.lstrip("/"))
PATH = f"{sys.base_prefix}/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NAMESPACES = ("unshare", "--mount", "--pid", "--fork", "--kill-child")


def lacking() -> str:
    """Return what is missing on this system, or an empty string."""
    if not all(shutil.which(tool) for tool in ("unshare", "setpriv", "chroot", "mount")):
        return "this system has no namespaces, or no tools for them"
    if not Path(sys.base_prefix, "bin", "python").exists():
        return f"there is no {sys.base_prefix}/bin/python, as in the base image"
    mount = subprocess.run([*NAMESPACES, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False)
    return "this user may have no namespaces" if mount.returncode else ""


@dataclass
class Stage:
    """A stage that is being built, or the final image. `settings` are instructions such as USER and ENTRYPOINT."""

    root: Path
    environ: dict[str, str] = field(default_factory=lambda: {"PATH": PATH})
    settings: dict[str, str] = field(default_factory=dict)

    def command(
        self, command: list[str], *, user: str = "0:0", is_read_only: bool = False, has_tmp: bool = True
    ) -> list[str]:
        """Return the command line that runs a command as process 1 with the stage as its root.

        With `is_read_only`, only /tmp can be written. With `has_tmp`, /tmp is in memory, else a folder of the root.
        """
        uid, gid = user.split(":")
        root = str(self.root)
        mounts = [f"mount --bind {root} {root}"]
        for name in SYSTEM:
            place = self.root / name
            if Path("/", name).is_symlink():
                if not place.is_symlink():
                    place.symlink_to(Path("/", name).readlink())
                continue
            place.mkdir(parents=True, exist_ok=True)
            mounts.append(f"mount --rbind /{name} {place}")
            if name != "dev":
                mounts.append(f"mount -o remount,bind,ro {place}")
        for name in ("proc", "tmp"):
            (self.root / name).mkdir(exist_ok=True)
        mounts.append(f"mount -t proc proc {root}/proc")
        if has_tmp:
            mounts.append(f"mount -t tmpfs tmpfs {root}/tmp")
        if is_read_only:
            mounts.append(f"mount -o remount,bind,ro {root}")
        work = shlex.quote(self.settings.get("WORKDIR", "/"))
        # chroot changes to the root, so a shell enters the working directory and then becomes the command.
        inside = f"cd {work} && exec {shlex.join(command)}"
        drop = f"setpriv --reuid {uid} --regid {gid} --clear-groups --no-new-privs --bounding-set -all"
        mounts.append(f"exec chroot {root} {drop if uid != '0' else ''} sh -c {shlex.quote(inside)}")
        return [*NAMESPACES, "sh", "-ec", "\n".join(mounts)]


def instructions(dockerfile: Path) -> list[tuple[str, str]]:
    """Return the instructions in order, each with its arguments on one line."""
    text = re.sub(r"^\s*#.*\n", "", dockerfile.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [(word, rest.strip()) for word, rest in re.findall(r"^(\w+) (.*)$", text, re.MULTILINE)]


def build(dockerfile: Path, context: Path, folder: Path) -> Stage:
    """Return the image. Its stages are made in `folder`; `RUN` gets this process's environment, which pip needs."""
    stages: dict[str, Stage] = {}
    stage = Stage(folder)
    for word, rest in instructions(dockerfile):
        if word == "FROM":
            name = rest.partition(" AS ")[2] or "image"
            stage = stages[name] = Stage(folder / name)
            stage.root.mkdir()
        elif word == "WORKDIR":
            stage.settings[word] = rest
            _inside(stage, ".").mkdir(parents=True, exist_ok=True)
        elif word == "ENV":
            for setting in shlex.split(rest):
                key, _, value = setting.partition("=")
                stage.environ[key] = value.replace("$PATH", stage.environ["PATH"])
        elif word == "RUN":
            subprocess.run(stage.command(["sh", "-ec", rest]), env=os.environ | stage.environ, check=True)
        elif word == "COPY":
            *sources, place = shlex.split(rest)
            root, ignored = context, shutil.ignore_patterns("__pycache__")  # as the .dockerignore has it
            if sources[0].startswith("--from="):
                root, ignored = stages[sources.pop(0).partition("=")[2]].root, shutil.ignore_patterns()
            for source in sources:
                _copy(root / source.lstrip("/"), _inside(stage, place), place.endswith("/"), ignored)
        elif word != "ARG":
            stage.settings[word] = rest
    return stage


def words_of(argument: str) -> list[str]:
    """Return the command of an instruction in exec form."""
    command: list[str] = json.loads("[" + argument.partition("[")[2])
    return command


def _inside(stage: Stage, place: str) -> Path:
    return stage.root / (Path(stage.settings["WORKDIR"]) / place).as_posix().lstrip("/")


def _copy(source: Path, place: Path, is_folder: bool, ignored: Callable[[str, list[str]], set[str]]) -> None:
    if source.is_dir():
        shutil.copytree(source, place, symlinks=True, dirs_exist_ok=True, ignore=ignored)
    else:
        place = place / source.name if is_folder else place
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, place)
