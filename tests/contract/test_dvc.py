"""dvc.yaml lists what each stage really reads: its code, its parameters, its files."""

import ast
from pathlib import Path

import pytest
import yaml

from pipeline.config.schema import Config
from pipeline.reproduce import is_within, outdated
from tests.contract.imports import ROOT, imported_files

STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]


# Code that observes a run: a stage imports it, and does not depend on it.
OBSERVERS = ("pipeline/tracking", "pipeline/registry", "pipeline/provenance", "pipeline/config/schema.py")


def closure(source: Path) -> set[Path]:
    """Files that a module imports, directly or not; observers are not followed."""
    todo, seen = [source], set()
    while todo:
        file = todo.pop()
        if file not in seen and not covers(OBSERVERS, file):
            seen.add(file)
            packages = (folder / "__init__.py" for folder in file.relative_to(ROOT).parents)
            todo += [*imported_files(file), *(ROOT / init for init in packages if (ROOT / init).exists())]
    return seen


def covers(paths, file: Path) -> bool:
    return any(file.is_relative_to(ROOT / path) for path in paths)


@pytest.mark.parametrize("name", STAGES)
def test_stage_depends_on_all_the_code_that_it_imports_and_on_no_other(name):
    files = closure(ROOT / "pipeline" / f"{name}.py")
    code = [dependency for dependency in STAGES[name]["deps"] if dependency.startswith(("pipeline", "serving"))]
    assert {str(file) for file in files if not covers(code, file) and file.stat().st_size > 100} == set(), "no dep"
    assert [path for path in code if not any(covers([path], file) for file in files)] == [], "not imported"
    assert "conf/config.yaml" in STAGES[name]["deps"], "it says how params.yaml is composed"


def test_what_is_in_git_survives_a_stage_that_fails():
    for stage in STAGES.values():
        for out in [*stage["outs"], *stage.get("metrics", [])]:
            for options in out.values() if isinstance(out, dict) else ():
                assert options == {"cache": False, "persist": True}


@pytest.mark.parametrize("name", STAGES)
def test_stage_is_a_module_of_its_name_and_imports_no_other_stage(name):
    assert STAGES[name]["cmd"] == f"python -m pipeline.{name}"
    others = {ROOT / "pipeline" / f"{other}.py" for other in STAGES if other != name}
    assert not closure(ROOT / "pipeline" / f"{name}.py") & others


class Reads(ast.NodeVisitor):
    """The keys that a stage takes from its `config`: "train.seed", or "train" where a section is taken whole."""

    def __init__(self, source: Path):
        self.keys = set()
        self.visit(ast.parse(source.read_text()))

    def visit_Attribute(self, node):
        chain, root = [], node
        while isinstance(root, ast.Attribute):
            chain.insert(0, root.attr)
            root = root.value
        if getattr(root, "id", "") == "config" and chain[0] in Config.model_fields:
            keys = Config.model_fields[chain[0]].annotation.model_fields
            self.keys.add(".".join(chain[:2]) if chain[1:] and chain[1] in keys else chain[0])
        else:
            self.generic_visit(node)

    def visit_Call(self, node):
        if getattr(node.func, "id", "") in ("dump", "params_sha256"):  # writes down all of them
            self.keys |= set(Config.model_fields)
        self.generic_visit(node)


@pytest.mark.parametrize("name", STAGES)
def test_stage_lists_the_parameters_that_it_reads(name):
    read, listed = Reads(ROOT / "pipeline" / f"{name}.py").keys, set(STAGES[name]["params"])
    assert {key for key in read if key not in listed and key.split(".")[0] not in listed} == set(), "read, not listed"
    assert {key for key in listed if not any(f"{one}.".startswith(f"{key}.") for one in read)} == set(), "not read"


@pytest.mark.parametrize(
    ("change", "is_left"),
    [
        ("changed command", False),
        ({"changed outs": {"models/network.weights.h5": "not in cache"}}, True),
        ({"changed deps": {"data/prepared/train.npz": "modified"}}, True),
        ({"changed deps": {"data/prepared/train.npz": "modified", "pipeline/train.py": "modified"}}, False),
        ({"changed deps": {"params.yaml": {"train.epochs": "modified"}}}, False),
        ({"changed outs": {"models/digits.onnx": "modified"}}, False),
    ],
)
def test_what_another_run_left_is_told_from_what_was_changed(change, is_left):
    assert is_within(change, [Path("data/prepared"), Path("models/network.weights.h5")]) == is_left


def test_the_committed_results_belong_to_this_code_and_these_parameters():
    # Else `make run` in a fresh clone would have to download and train before it serves.
    assert not outdated(), "run `dvc repro`, and commit dvc.lock and the results"
