"""The lock files and pyproject.toml, read as pip reads them."""

import re
import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.project import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def entries(lock):
    """Return the requirements of requirements/<lock>.txt, with their markers."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    return [Requirement(line.rstrip(" \\")) for line in re.findall(r"^\S.*$", text, re.MULTILINE)]


def locked_here(lock, **environment):
    """Return the versions by package that a lock installs here, or in another environment for the markers."""
    return {
        canonicalize_name(entry.name): str(entry.specifier).removeprefix("==")
        for entry in entries(lock)
        if not entry.marker or entry.marker.evaluate(environment)
    }


def wanted(*extras):
    """Return the requirements of pyproject.toml, with extras."""
    texts = PROJECT["dependencies"] + [text for extra in extras for text in PROJECT["optional-dependencies"][extra]]
    found = []
    for requirement in map(Requirement, texts):
        own = requirement.name == PROJECT["name"]
        found += wanted(*requirement.extras) if own else [requirement]
    return found
