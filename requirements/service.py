"""Build the wheel, and environments that have the service's packages: `python -m requirements.service DIRECTORY`."""

import argparse
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from requirements.lock import ROOT

UV = [sys.executable, "-m", "uv"]
COMPILED = ["--quiet", "--compile-bytecode", "--python"]  # pip compiles to bytecode, too


def build(directory: Path) -> Path:
    """Build the source distribution in a directory, and the wheel from it. Return the path of the wheel."""
    subprocess.run([*UV, "build", "--quiet", "--out-dir", str(directory), str(ROOT)], check=True)
    (wheel,) = directory.glob("*.whl")
    return wheel


def environment(directory: Path, lock: str, python: str = sys.executable) -> Path:
    """Create an environment with the packages of requirements/<lock>.txt and without pip. Return its Python.

    Args:
        directory: directory of the environment; replaced if it exists.
        lock: name of a lock file.
        python: path or version of a Python on this machine.
    """
    own = _venv(directory, python)
    install(own, "--require-hashes", "-r", str(ROOT / "requirements" / f"{lock}.txt"))
    return own


def lowest_environment(directory: Path) -> Path:
    """Create an environment with the lowest allowed versions of the service's dependencies. Return its Python.

    The test tools and the indirect dependencies have the locked versions.
    """
    own = _venv(directory, sys.executable)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    direct = {re.split(r"[^\w-]", text)[0] for text in project["dependencies"]}
    lock = (ROOT / "requirements" / "serving-test.txt").read_text()
    pins = [
        pin.rstrip(" \\") for pin in re.findall(r"^\S+==.*", lock, re.MULTILINE) if pin.split("==")[0] not in direct
    ]
    constraints = directory / "constraints.txt"
    constraints.write_text("\n".join(pins))
    lowest = ["--resolution", "lowest-direct", "--constraint", str(constraints)]
    wanted = ["-r", str(ROOT / "pyproject.toml"), "--extra", "test"]
    subprocess.run([*UV, "pip", "install", *COMPILED, str(own), *lowest, *wanted], check=True)
    return own


def _venv(directory: Path, python: str) -> Path:
    options = ["--quiet", "--clear", "--no-python-downloads", "--python", python]
    subprocess.run([*UV, "venv", *options, str(directory)], check=True)
    return directory / "bin" / "python"


def install(python: Path, *what: str) -> None:
    """Install packages into an environment, without their dependencies."""
    subprocess.run([*UV, "pip", "install", *COMPILED, str(python), "--no-deps", *what], check=True)


def service(directory: Path) -> tuple[Path, Path]:
    """Create the wheel, and an environment with only the service, below a directory. Return wheel and Python."""
    wheel = build(directory / "dist")
    python = environment(directory / "environment", "serving")
    install(python, str(wheel))
    return wheel, python


if __name__ == "__main__":
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("directory", type=Path)
    print(f"{service(parser.parse_args().directory)[1].parent / 'inkling-serve'} starts the service")
