"""The lock files and pyproject.toml, read as pip reads them."""

import re
import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.contract.imports import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def entries(lock):
    """What requirements/<lock>.txt pins, each as a requirement, markers and all."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    return [Requirement(line.rstrip(" \\")) for line in re.findall(r"^\S.*$", text, re.MULTILINE)]


def version(entry):
    (pin,) = entry.specifier
    return pin.version


def locked_here(lock, **environment):
    """Versions by package of what a lock installs here, or where the markers' variables differ from here's."""
    return {
        canonicalize_name(entry.name): version(entry)
        for entry in entries(lock)
        if not entry.marker or entry.marker.evaluate(environment)
    }


def wanted(*extras):
    """What pyproject.toml asks for, with extras; what those name of its own extras is taken from there."""
    texts = PROJECT["dependencies"] + [text for extra in extras for text in PROJECT["optional-dependencies"][extra]]
    found = []
    for requirement in map(Requirement, texts):
        own = requirement.name == PROJECT["name"]
        found += wanted(*requirement.extras) if own else [requirement]
    return found
