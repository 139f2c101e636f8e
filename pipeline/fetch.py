"""Write a registered model to a file, because the service does not use MLflow.

python -m pipeline.fetch champion       writes outputs/registry/champion.onnx, and champion.onnx.sig if it is signed

The argument is an alias or a version number.
"""

import argparse
import sys
from pathlib import Path

from pipeline.base.errors import InklingError, RegistryError
from pipeline.base.files import write_atomic, write_text
from pipeline.base.paths import ROOT
from pipeline.registry import store
from pipeline.tracking.store import uri
from serving.signature import signature_of

FETCHED = ROOT / "outputs" / "registry"


def fetch(name: str) -> Path:
    """Write the model file of the version with this alias or number. Return its path."""
    versions = store.versions()
    if name not in versions:
        known = f"it has {', '.join(versions)}" if versions else "it is empty: run `python -m pipeline.register`"
        raise RegistryError(f"the registry at {uri()} has no model {name!r}; {known}")
    content, path = store.read_model(versions[name]), FETCHED / f"{name}.onnx"
    write_atomic(path, lambda temporary: temporary.write_bytes(content))
    if versions[name].signature:
        write_text(signature_of(path), versions[name].signature)
    else:
        signature_of(path).unlink(missing_ok=True)
    return path


if __name__ == "__main__":
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("version")
    version = parser.parse_args().version
    try:
        print(fetch(version))
    except InklingError as error:
        sys.exit(f"error: {error}")
