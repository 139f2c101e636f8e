"""dvc.yaml lists the code, the parameters and the files that each stage reads, and no code that only observes."""

import json
import re
from pathlib import Path

import pytest
import yaml

from pipeline.config.schema import Config
from pipeline.config.values import dump, load_config
from pipeline.reproduce import is_within, outdated
from tests.contract.imports import imported_files
from tests.project import ROOT

STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
OUTS = [out for stage in STAGES.values() for out in (*stage["outs"], *stage.get("metrics", []))]
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
    every = closure(ROOT / "pipeline" / f"{name}.py", without=())
    assert [file for file in every if covers(["pipeline/registry", "pipeline/provenance"], file)] == []


def test_the_schema_adds_and_converts_no_value():
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    dumped = yaml.safe_load(dump(load_config()))
    assert json.dumps(dumped, sort_keys=True) == json.dumps(values, sort_keys=True)  # 1 and 1.0 differ
    todo = [Config]
    while todo:
        for field in todo.pop().model_fields.values():
            assert field.is_required()
            todo += [field.annotation] if hasattr(field.annotation, "model_fields") else []


def test_outputs_in_git_and_the_weights_survive_a_stage_that_fails():
    deleted = [out for out in OUTS if not isinstance(out, dict) or not all(each["persist"] for each in out.values())]
    assert deleted == ["data/raw", "data/prepared"]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_tracking_that_does_nothing_changes_no_output(copy_trained, tmp_path):
    project = copy_trained(tmp_path / "inkling")
    lock, changed = project.read("dvc.lock"), "pipeline/tracking/runs.py"
    project.write(changed, "from unittest.mock import MagicMock\n\n\ndef __getattr__(name):\n    return MagicMock()\n")
    project.run("dvc", "repro", "--force", "--single-item", "train", "evaluate", "export")
    assert project.read("dvc.lock") == lock
    assert project.git("status", "--porcelain").split() == ["M", changed]


def keys_read(stage):
    """Return the keys that a stage reads from `config`: "train.seed", or "train" if it passes the section on."""
    text = (ROOT / "pipeline" / f"{stage}.py").read_text()
    found = set(Config.model_fields) if re.search(r"\b(dump|params_sha256)\(", text) else set()  # these read all keys
    for section, key in re.findall(r"\bconfig\.(\w+)(?:\.(\w+))?", text):
        if section in Config.model_fields:
            keys = Config.model_fields[section].annotation.model_fields
            found.add(f"{section}.{key}" if key in keys else section)
    return found


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_lists_the_parameters_that_it_reads(name):
    read, listed = keys_read(name), set(STAGES[name]["params"])
    assert {key for key in read if key not in listed and key.split(".")[0] not in listed} == set(), "read, not listed"
    assert {key for key in listed if not any(f"{one}.".startswith(f"{key}.") for one in read)} == set(), "not read"


@pytest.mark.parametrize(
    ("change", "is_left"),
    [
        ("changed command", False),
        ({"changed deps": {"data/prepared/train.npz": "modified"}}, True),
        ({"changed deps": {"data/prepared/train.npz": "modified", "pipeline/train.py": "modified"}}, False),
        ({"changed outs": {"models/digits.onnx": "modified"}}, False),
    ],
)
def test_outputs_of_another_run_are_not_a_change_of_the_code(change, is_left):
    assert is_within(change, [Path("data/prepared"), Path("models/network.weights.h5")]) == is_left


def test_the_committed_results_belong_to_this_code_and_these_parameters():
    # Otherwise `make run` in a fresh clone would download and train before it serves.
    assert not outdated(), "run `dvc repro`, and commit dvc.lock and the results"
