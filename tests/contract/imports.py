"""What a source file imports, read from its text: nothing is run."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOT_IN_THE_SERVICE = ("tensorflow", "keras", "mlflow", "dvc", "hydra", "pipeline", "pydantic")


def imported_names(source: Path) -> set[str]:
    """Dotted names of all imports at any level of the code, of modules and of what is taken from them."""
    found = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source.name} has a relative import"
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def imported_files(source: Path) -> set[Path]:
    """Files of this repository that `source` imports."""
    files = {(ROOT / name.replace(".", "/")).with_suffix(".py") for name in imported_names(source)}
    return {file for file in files if file.exists()}
