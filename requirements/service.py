"""The service as it is installed elsewhere: a wheel, and an environment that has its lock and that wheel, no more.

python -m requirements.service DIRECTORY
"""

import subprocess
import sys
from pathlib import Path

from requirements.lock import ROOT

UV = [sys.executable, "-m", "uv"]


def build(directory: Path) -> Path:
    """Build the source distribution into a directory, and from that the wheel beside it, whose path is returned."""
    subprocess.run([*UV, "build", "--quiet", "--out-dir", str(directory), str(ROOT)], check=True)
    (wheel,) = directory.glob("*.whl")
    return wheel


def environment(directory: Path, lock: str, python: str = sys.executable) -> Path:
    """Make an environment, without pip, that has the packages of requirements/<lock>.txt; its Python is returned.

    Args:
        directory: of the environment; what is there is replaced.
        lock: name of a lock file.
        python: path or version of the Python that it is for; one that is not on this machine is not downloaded.
    """
    venv = ["venv", "--quiet", "--clear", "--no-python-downloads", "--python", python, str(directory)]
    subprocess.run([*UV, *venv], check=True)
    own = directory / "bin" / "python"
    install(own, "--require-hashes", "-r", str(ROOT / "requirements" / f"{lock}.txt"))
    return own


def install(python: Path, *what: str) -> None:
    """Install into an environment, compiled as pip does it; nothing is taken that `what` does not name."""
    options = ["--quiet", "--no-deps", "--compile-bytecode", "--python", str(python)]
    subprocess.run([*UV, "pip", "install", *options, *what], check=True)


def service(directory: Path) -> tuple[Path, Path]:
    """The wheel, and the Python of an environment with the service alone, both below a directory."""
    wheel = build(directory / "dist")
    python = environment(directory / "environment", "serving")
    install(python, str(wheel))
    return wheel, python


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(f"{service(Path(sys.argv[1]))[1].parent / 'inkling-serve'} serves")
