"""dvc.yaml lists the code, the parameters and the files that each stage reads, and no code that only observes."""

import ast
import contextlib
import shutil
from pathlib import Path

import networkx
import pytest
import yaml
from dvc.repo import Repo

from pipeline.config.schema import Config
from pipeline.reproduce import is_within, outdated
from tests.contract.imports import imported_files
from tests.project import ROOT, Project

STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
# Code that observes a run: a stage imports it, and does not depend on it.
OBSERVERS = ("pipeline/tracking", "pipeline/registry", "pipeline/provenance", "pipeline/config/schema.py")


def closure(source: Path, without=OBSERVERS) -> set[Path]:
    """Return the files that a module imports, directly or not, without those of `without` and their imports."""
    todo, seen = [source], set()
    while todo:
        file = todo.pop()
        if file not in seen and not covers(without, file):
            seen.add(file)
            packages = (folder / "__init__.py" for folder in file.relative_to(ROOT).parents)
            todo += [*imported_files(file), *(ROOT / init for init in packages if (ROOT / init).exists())]
    return seen


def covers(paths, file: Path) -> bool:
    return any(file.is_relative_to(ROOT / path) for path in paths)


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_the_code_that_it_imports_and_on_no_other(name):
    files = closure(ROOT / "pipeline" / f"{name}.py")
    code = [dependency for dependency in STAGES[name]["deps"] if dependency.startswith(("pipeline", "serving"))]
    assert {str(file) for file in files if not covers(code, file) and file.stat().st_size > 100} == set(), "no dep"
    assert [path for path in code if not any(covers([path], file) for file in files)] == [], "not imported"
    assert "conf/config.yaml" in STAGES[name]["deps"], "it composes params.yaml and the presets"
    assert STAGES[name]["cmd"] == f"python -m pipeline.{name}"
    assert not files & {ROOT / "pipeline" / f"{other}.py" for other in STAGES if other != name}, "imports a stage"


@pytest.mark.parametrize("name", STAGES)
def test_no_stage_imports_the_registry_or_provenance(name):
    files = closure(ROOT / "pipeline" / f"{name}.py", without=())
    assert [file for file in files if covers(["pipeline/registry", "pipeline/provenance"], file)] == []


def test_the_schema_adds_and_converts_no_value():
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    assert repr(Config.model_validate(values).model_dump()) == repr(values)
    todo = [Config]
    while todo:
        for field in todo.pop().model_fields.values():
            assert field.is_required()
            todo += [field.annotation] if hasattr(field.annotation, "model_fields") else []


def test_outputs_in_git_survive_a_stage_that_fails():
    for stage in STAGES.values():
        for out in [*stage["outs"], *stage.get("metrics", [])]:
            for options in out.values() if isinstance(out, dict) else ():
                assert options == {"cache": False, "persist": True}


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A git repository with a copy of what the stages read, in which `dvc status` is clean; its data is made up."""
    project = Project(tmp_path_factory.mktemp("copy"))
    project.make_repository()
    files = [path for stage in STAGES.values() for path in stage["deps"]] + [*OBSERVERS, "params.yaml", "dvc.yaml"]
    files += [next(iter(out)) if isinstance(out, dict) else out for stage in STAGES.values()
              for out in [*stage["outs"], *stage.get("metrics", [])]]  # fmt: skip
    for name in ("data/raw/data", *files, ".dvcignore", ".gitignore"):
        source, target = ROOT / name, project.directory / name
        if name.startswith(("data", "models", "metrics", "plots", "docs")):
            if not target.exists() and "." in name:
                project.write(name, name)
        elif source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            project.write(name, source.read_bytes())
    project.write("data/raw/data", "raw")
    with contextlib.chdir(project.directory), Repo.init() as repo:
        repo.commit(force=True)
        assert repo.status() == {}
    project.commit()
    return project


def stale_stages(project):
    """Return the stages that `dvc status` lists, and those after them."""
    with contextlib.chdir(project.directory), Repo() as repo:
        changed, graph = repo.status(), repo.index.graph
        stale = [stage for stage in graph if stage.name in changed]
        return {stage.name for first in stale for stage in (first, *networkx.ancestors(graph, first))}


def test_a_change_of_an_observer_makes_no_stage_stale(copy):
    files = [file for path in OBSERVERS for file in sorted((copy.directory / path).glob("*.py"))]
    before = {file: file.read_text() for file in (*files, copy.directory / "pipeline/config/schema.py")}
    assert len(before) > 4
    try:
        for file, text in before.items():
            file.write_text(text.replace('description="', 'description="as changed, ') + "\n# changed\n")
        assert stale_stages(copy) == set()
    finally:
        for file, text in before.items():
            file.write_text(text)


@pytest.mark.parametrize(
    ("file", "old", "new", "stale"),
    [
        ("pipeline/training/trainer.py", "import", "# changed\nimport", "train evaluate export"),
        ("pipeline/modelfile/card.py", "import", "# changed\nimport", "export"),
        ("params.yaml", "train:\n", "train:\n  new: 1\n", "train evaluate export"),
        ("params.yaml", "\nevaluate:\n", "\nevaluate:\n  new: 1\n", "evaluate export"),
        ("params.yaml", "\nexport:\n", "\nexport:\n  new: 1\n", "export"),
    ],
)
def test_a_change_makes_stale_only_the_stages_that_depend_on_it(copy, file, old, new, stale):
    before = copy.read(file)
    assert old in before
    copy.write(file, before.replace(old, new, 1))
    try:
        assert stale_stages(copy) == set(stale.split())
    finally:
        copy.write(file, before)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_tracking_that_does_nothing_changes_no_output(copy_trained, tmp_path):
    project = copy_trained(tmp_path / "inkling")
    lock, changed = project.read("dvc.lock"), "pipeline/tracking/runs.py"
    project.write(changed, "from unittest.mock import MagicMock\n\n\ndef __getattr__(name):\n    return MagicMock()\n")
    project.run("dvc", "repro", "--force", "--single-item", "train", "evaluate", "export")
    assert project.read("dvc.lock") == lock
    assert project.git("status", "--porcelain").split() == ["M", changed]


class Reads(ast.NodeVisitor):
    """Collect the keys that a stage reads from `config`: "train.seed", or "train" where it passes the section on."""

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
        if getattr(node.func, "id", "") in ("dump", "params_sha256"):  # which read all keys
            self.keys |= set(Config.model_fields)
        self.generic_visit(node)


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_lists_the_parameters_that_it_reads(name):
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
def test_outputs_of_another_run_are_not_a_change_of_the_code(change, is_left):
    assert is_within(change, [Path("data/prepared"), Path("models/network.weights.h5")]) == is_left


def test_the_committed_results_belong_to_this_code_and_these_parameters():
    # Otherwise `make run` in a fresh clone would download and train before it serves.
    assert not outdated(), "run `dvc repro`, and commit dvc.lock and the results"
