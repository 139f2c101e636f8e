"""The browser for these tests; `python -m tests.e2e.browser` installs one if necessary."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

VARIABLE = "INKLING_CHROMIUM"
COMMANDS = ("chromium", "chromium-browser", "google-chrome")
MISSING = (
    "No browser for the tests of the page: install Chromium with `python -m tests.e2e.browser`, "
    f"or name its file in {VARIABLE}."
)

# As root, for example in containers, Chromium starts only without a sandbox. The rest prevents requests to its vendor.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_browser() -> str | None:
    """Return the path of a Chromium: from the variable, PATH or Playwright, or None."""
    names = (os.environ.get(VARIABLE, ""), *COMMANDS)
    return next(filter(None, map(shutil.which, names)), None) or _playwrights_own()


def install_browser() -> str | None:
    """Install Chromium with apt-get as root, otherwise with Playwright. Return its path, or None if both fail."""
    if os.name == "posix" and os.geteuid() == 0 and shutil.which("apt-get"):
        packages = ["chromium", "fonts-liberation"]
        _run(["apt-get", "update"])
        _run(["apt-get", "install", "--yes", "--no-install-recommends", *packages])
    if find_browser() is None:
        _run([sys.executable, "-m", "playwright", "install", "chromium"])
    return find_browser()


def main() -> None:
    """Print the browser of the tests, and install one if necessary. Never fail, because the tests skip."""
    path = find_browser() or install_browser()
    print(f"The tests of the page use {path}." if path else f"{MISSING} These tests will be skipped.")


def _playwrights_own() -> str | None:
    with sync_playwright() as playwright:
        path = Path(playwright.chromium.executable_path)
    return str(path) if path.exists() else None


def _run(command: list[str]) -> None:
    print("$", *command, flush=True)
    subprocess.run(command, check=False)


if __name__ == "__main__":
    main()
