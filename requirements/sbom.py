"""Write docs/sbom.cdx.json: the packages of an installed service with licences, and the model with its data.

python -m requirements.sbom
python -m requirements.sbom --model     describes only the model again, without a network

The CycloneDX tool runs in its own environment and inspects another one, made from requirements/serving.txt. The
document contains no addresses, times or machine names. It is for Python 3.11; later versions have another numpy.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from requirements.lock import ROOT
from requirements.model_card import describe_model
from requirements.service import environment

DOCUMENT = ROOT / "docs" / "sbom.cdx.json"
PYTHON = "3.11"
DESCRIBED = ("machine-learning-model", "data")  # the types of the components of the model
VALIDATE = """
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
sys.exit(JsonStrictValidator(SchemaVersion.V1_6).validate_str(sys.stdin.read()))
"""


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
    document = with_model(_without_addresses(json.loads(said)))
    subprocess.run([str(tool.with_name("python")), "-c", VALIDATE], input=document, text=True, check=True)
    return document


def with_model(bill: dict[str, Any]) -> str:
    """Return a bill of materials as JSON, with the model and its data as they are now."""
    components = [one for one in bill["components"] if one["type"] not in DESCRIBED] + describe_model()
    return json.dumps(bill | {"components": components}, indent=1, ensure_ascii=False) + "\n"


def _without_addresses(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_addresses(part) for key, part in value.items() if key != "externalReferences"}
    return [_without_addresses(part) for part in value] if isinstance(value, list) else value


if __name__ == "__main__":
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--model", action="store_true")
    if parser.parse_args().model:
        DOCUMENT.write_text(with_model(json.loads(DOCUMENT.read_text(encoding="utf-8"))), encoding="utf-8")
        sys.exit()
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        serving = environment(directory / "serving", "serving", PYTHON)
        DOCUMENT.write_text(build_sbom(serving, directory), encoding="utf-8")
