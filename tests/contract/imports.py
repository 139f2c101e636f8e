"""The imports of a source file, read from its text."""

import ast
from functools import cache
from pathlib import Path

from tests.project import ROOT

NOT_IN_THE_SERVICE = ("tensorflow", "keras", "mlflow", "dvc", "hydra", "pipeline", "pydantic")


@cache
def imported_names(source: Path) -> set[str]:
    """Return the dotted names of all imports anywhere in the code, of modules and of their members."""
    found = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source.name} has a relative import"
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def imported_files(source: Path) -> set[Path]:
    """Return the files of this repository that `source` imports."""
    files = {(ROOT / name.replace(".", "/")).with_suffix(".py") for name in imported_names(source)}
    return {file for file in files if file.exists()}
