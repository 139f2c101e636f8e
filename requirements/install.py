"""Install a lock file with pip, and show how far it is. It runs before any package is installed.

python -m requirements.install requirements/all.txt
"""

import argparse
import subprocess
import sys
from pathlib import Path

# The lock has all dependencies. With hashes, pip rejects some that it finds itself, such as pydantic[email].
PIP = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar=off", "--require-hashes",
       "--no-deps"]  # fmt: skip


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lock", type=Path)
    lock = parser.parse_args().lock
    n_collected = 0
    with subprocess.Popen([*PIP, "-r", lock], stdout=subprocess.PIPE, text=True) as pip:
        for line in pip.stdout or ():
            if line.startswith("Collecting "):
                n_collected += 1
                if n_collected % 20 == 0:
                    print(f"  {n_collected} packages downloaded", flush=True)
            elif line.startswith("Installing collected packages"):
                print("  unpacking them", flush=True)
    sys.exit(pip.returncode)


if __name__ == "__main__":
    main()
