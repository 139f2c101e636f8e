"""Write docs/sbom.cdx.json, the packages of an installed service with licences: `python -m requirements.sbom`.

The CycloneDX tool runs in its own environment and inspects another one, made from requirements/serving.txt. The
document contains no addresses, times or machine names. It is for Python 3.11; later versions have another numpy.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from requirements.lock import ROOT
from requirements.service import environment

DOCUMENT = ROOT / "docs" / "sbom.cdx.json"
PYTHON = "3.11"


def build_sbom(serving: Path, directory: Path) -> str:
    """Return the document as JSON.

    Args:
        serving: the Python of an environment with the service's packages.
        directory: for the tool's environment.
    """
    tool = environment(directory / "tool", "sbom").parent / "cyclonedx-py"
    project = ["--pyproject", str(ROOT / "pyproject.toml")]
    command = [str(tool), "environment", str(serving), *project, "--output-reproducible"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return json.dumps(_without_addresses(json.loads(said)), indent=1, ensure_ascii=False) + "\n"


def _without_addresses(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_addresses(part) for key, part in value.items() if key != "externalReferences"}
    return [_without_addresses(part) for part in value] if isinstance(value, list) else value


if __name__ == "__main__":
    argparse.ArgumentParser(usage=__doc__).parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        serving = environment(directory / "serving", "serving", PYTHON)
        DOCUMENT.write_text(build_sbom(serving, directory), encoding="utf-8")
