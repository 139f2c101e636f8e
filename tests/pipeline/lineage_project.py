"""A small project in git, with the files that `dvc repro` would make."""

import functools
import hashlib
import json
import shutil
from copy import copy

import onnx
import yaml

from pipeline.config.values import dump, load_config, params_sha256
from pipeline.lineage import trace
from tests.project import Project

DIGESTS = {"train": "a" * 64, "validation": "b" * 64}
METRICS = {"test_accuracy": 0.996}
CARD = "data/prepared/card.json"
STAGES = ["prepare", "train", "export"]
CONFIG = load_config()


@functools.cache
def config(epochs=CONFIG.train.epochs, mode="portable"):
    return load_config([f"train.epochs={epochs}", f"runtime.mode={mode}"])


def model(config, metrics=METRICS):
    """Return a model file that has only metadata."""
    file = onnx.helper.make_model(onnx.helper.make_graph([], "nothing", [], []))
    data = {"title": "a title", "sha256": DIGESTS}
    values = {"parameters": config.model_dump(), "data": data, "metrics": metrics}
    texts = {key: json.dumps(value) for key, value in values.items()}
    onnx.helper.set_model_props(file, {"params_sha256": params_sha256(config)} | texts)
    return file.SerializeToString()


def md5(content):
    return hashlib.md5(content).hexdigest()


class LineageProject(Project):
    def copy_to(self, directory):
        """Return a copy of the project in a new directory."""
        copied = copy(self)
        copied.directory = directory
        shutil.copytree(self.directory, directory)
        return copied

    def export(self, config, metrics=METRICS):
        """Write the files that `dvc repro` makes from these values, and return the model."""
        content = model(config, metrics)
        code = md5(self.write("pipeline/train.py", f"# {config.train.epochs}"))
        self.write("params.yaml", dump(config))
        self.write("metrics/test.json", json.dumps(METRICS))
        card_md5 = md5(self.write("docs/model_card.md", "".join(f"| {digest} |" for digest in DIGESTS.values())))
        model_md5 = md5(self.write("models/digits.onnx", content))
        values, card = config.model_dump(), md5(json.dumps({"sha256": DIGESTS}).encode())

        def entry(name, params, deps, outs):
            return {"cmd": f"python -m pipeline.{name}", "params": {"params.yaml": params}} | {
                kind: [{"path": path, "hash": "md5", "md5": value} for path, value in paths.items()]
                for kind, paths in (("deps", deps), ("outs", outs))
            }

        stages = {
            "export": entry(
                "export", values, {"models/network.weights.h5": "1" * 32, CARD: card},
                {"docs/model_card.md": card_md5, "models/digits.onnx": model_md5},
            ),
            "teach": entry("teach", {}, {CARD: card}, {"data/taught.npz": "2" * 32}),  # not before export
            "train": entry(
                "train", {"train.epochs": config.train.epochs}, {CARD: card, "pipeline/train.py": code},
                {"models/network.weights.h5": "1" * 32},
            ),
            "prepare": entry("prepare", {"data": values["data"]}, {}, {"data/prepared": "3" * 32 + ".dir"}),
        }  # fmt: skip
        self.write("dvc.lock", yaml.safe_dump({"schema": "2.0", "stages": stages}))
        return content

    def trace(self, asked):
        return trace(asked, self.directory)


def sha256(content):
    return hashlib.sha256(content).hexdigest()
