"""Install a browser for these tests if necessary: `python -m tests.e2e.browser`."""

import os
import shutil
import subprocess
import sys

from bench.browser import MISSING, find_browser


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
