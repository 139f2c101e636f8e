"""The browser for these tests; `python -m tests.e2e.browser` installs one if necessary."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

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
    for path in map(shutil.which, (os.environ.get(VARIABLE, ""), *COMMANDS)):
        if path:
            return path
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


@contextmanager
def launched() -> Iterator[Browser]:
    """Start a headless Chromium, or end the program without one."""
    path = find_browser() or sys.exit(MISSING)
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=path, args=ARGUMENTS) as browser:
        yield browser


def install_browser() -> str | None:
    """Install Chromium with apt-get as root, otherwise with Playwright. Return its path, or None if both fail."""
    if os.name == "posix" and os.geteuid() == 0 and shutil.which("apt-get"):
        _run("apt-get", "update")
        _run("apt-get", "install", "--yes", "--no-install-recommends", "chromium", "fonts-liberation")
    if find_browser() is None:
        _run(sys.executable, "-m", "playwright", "install", "chromium")
    return find_browser()


def main() -> None:
    """Print the browser of the tests, and install one if necessary. Never fail, because the tests skip."""
    path = find_browser() or install_browser()
    print(f"The tests of the page use {path}." if path else f"{MISSING} These tests will be skipped.")


def _run(*command: str) -> None:
    print("$", *command, flush=True)
    subprocess.run(command, check=False)


if __name__ == "__main__":
    main()
