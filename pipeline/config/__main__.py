"""Print the values that a command with these overrides would use.

python -m pipeline.config [override ...]
"""

import argparse
import sys

from pipeline.base.errors import ConfigError
from pipeline.config.values import dump, load_config

if __name__ == "__main__":
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("overrides", nargs="*")
    try:
        print(dump(load_config(parser.parse_args().overrides)), end="")
    except ConfigError as error:
        sys.exit(f"error: {error}")
