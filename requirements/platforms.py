"""Write docs/platforms.md, the systems that the locked packages support: `python -m requirements.platforms`.

For each system and Python, ask the resolver whether every package has a wheel; this installs nothing. Then run the
service's tests with each Python on this machine.
"""

import argparse
import hashlib
import itertools
import os
import re
import subprocess
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

from pipeline.base.files import write_text
from pipeline.base.markdown import table
from requirements.lock import ROOT
from requirements.service import UV, environment

DOCUMENT = ROOT / "docs" / "platforms.md"
LOCKS = {"serving": "The service", "all": "Everything: the pipeline, the sweeps, the tests"}
PYTHONS = ("3.11", "3.12", "3.13")
PLATFORMS = {
    "Linux, x86-64": "x86_64-manylinux_2_28",
    "Linux, arm64": "aarch64-manylinux_2_28",
    "macOS 14, arm64": "aarch64-apple-darwin",
    "macOS 14, x86-64": "x86_64-apple-darwin",
    "Windows, x86-64": "x86_64-pc-windows-msvc",
    "Windows, arm64": "aarch64-pc-windows-msvc",
}
MACOS = {"MACOSX_DEPLOYMENT_TARGET": "14.0"}
# The resolver's message about the first package without a wheel. "usable" means that its source is available. Markers
# may follow the name.
LACKING = re.compile(r"Because ([\w.-]+)(?:\{[^}]*\})?==\S+ has no (usable )?wheels")
TESTS = ["tests/serving", "tests/contract/test_layers.py"]


def requirements(lock: str) -> dict[str, str]:
    """Return the entries of a lock file by package. Several versions of a package are joined to one entry."""
    entries: dict[str, str] = {}
    for entry in re.split(r"\n(?=\S)", (ROOT / "requirements" / f"{lock}.txt").read_text().strip()):
        name = entry.partition("==")[0]
        entries[name] = entries.get(name, "") + entry + "\n"
    return entries


def find_missing_wheels(entries: Mapping[str, str], platform: str, python: str) -> dict[str, bool]:
    """Return the packages without a wheel, and whether each can be built from source.

    Args:
        entries: as returned by `requirements`.
        platform: a name that the resolver knows.
        python: version, such as 3.11.

    Raises:
        RuntimeError: the resolver failed for another reason, which the message contains.
    """
    found: dict[str, bool] = {}
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "requirements.txt"
        where = ["--python-platform", platform, "--python-version", python, "--target", str(Path(scratch) / "empty")]
        options = ["--dry-run", "--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", str(file)]
        while True:
            file.write_text("".join(entry for name, entry in entries.items() if name not in found))
            command = [*UV, "pip", "install", *where, *options]
            done = subprocess.run(command, env=os.environ | MACOS, capture_output=True, text=True, check=False)
            if not done.returncode:
                return found
            said = LACKING.search(done.stderr)
            if not said or said[1] in found:
                raise RuntimeError(f"{platform}, Python {python}: {done.stderr}")
            found[said[1]] = bool(said[2])


def describe_wheels(lock: str) -> str:
    """Describe the wheels of a lock file: name the packages without any wheel, then list platforms and Pythons."""
    entries = requirements(lock)
    cells = {
        place: find_missing_wheels(entries, PLATFORMS[place[0]], place[1])
        for place in itertools.product(PLATFORMS, PYTHONS)
    }
    everywhere = set.intersection(*({name for name, is_built in cell.items() if is_built} for cell in cells.values()))
    rows = [(name, *(_cell(cells[name, python], everywhere) for python in PYTHONS)) for name in PLATFORMS]
    built = "".join(f" `{name}` has no wheel at all, so it is built everywhere." for name in sorted(everywhere))
    return f"{built}\n\n{table(('', *PYTHONS), rows)}"


def _cell(missing: Mapping[str, bool], everywhere: Collection[str]) -> str:
    absent = ", ".join(f"`{name}`" for name, is_built in missing.items() if not is_built)
    built = ", ".join(f"`{name}`" for name, is_built in missing.items() if is_built and name not in everywhere)
    parts = [f"**no**: there is no {absent}"] if absent else []
    parts += [f"{'' if parts else 'yes, '}builds {built}"] if built else []
    return "; ".join(parts) or "yes"


def run_tests(python: str) -> str:
    """Run the service's quick tests in a new environment with this Python. Return the result and the version."""
    with tempfile.TemporaryDirectory() as scratch:
        try:
            own = environment(Path(scratch), "serving-test", python)
        except subprocess.CalledProcessError:
            return "not run: this Python is not on the machine"
        named = "import platform as p; print(f'{p.python_version()}, {p.system()} {p.machine()}')"
        version = subprocess.run([str(own), "-c", named], capture_output=True, text=True, check=True).stdout.strip()
        pytest = [str(own), "-m", "pytest", "-p", "no:cacheprovider", "-m", "not slow", *TESTS]
        return f"{'**fail**' if subprocess.run(pytest, cwd=ROOT, check=False).returncode else 'pass'}, {version}"


def digest() -> str:
    """Return the SHA-256 of all lock files in `LOCKS` together."""
    return hashlib.sha256(b"".join((ROOT / "requirements" / f"{lock}.txt").read_bytes() for lock in LOCKS)).hexdigest()


def document() -> str:
    """Return the document as Markdown."""
    parts = [
        "# Platforms",
        f"`python -m requirements.platforms` writes this page, for the lock files with the SHA-256 `{digest()[:16]}`. "
        "How to install: [install.md](install.md).",
        "## Tested",
        "The service's quick tests, in an environment with only `requirements/serving-test.txt`:",
        table(("Python", "tests"), [(python, run_tests(python)) for python in PYTHONS]),
        "## Resolved",
        '"yes" means that every locked package is available. It has a wheel, unless the cell says that it is built. '
        "The resolver asked the package index; nothing was installed or run. Linux needs glibc 2.28 or later.",
        *(f"### {title}\n\n`requirements/{lock}.txt`.{describe_wheels(lock)}" for lock, title in LOCKS.items()),
    ]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    argparse.ArgumentParser(usage=__doc__).parse_args()
    write_text(DOCUMENT, document())
