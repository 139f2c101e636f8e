"""Print the values that a command with these overrides would use.

python -m pipeline.config [override ...]
"""

import sys

from pipeline.base.errors import ConfigError
from pipeline.config.values import dump, load_config

if __name__ == "__main__":
    try:
        print(dump(load_config(sys.argv[1:])), end="")
    except ConfigError as error:
        sys.exit(f"error: {error}")
