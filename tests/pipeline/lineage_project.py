"""A small project in git, with what `dvc repro` would leave there, made in no time."""

import hashlib
import json
import subprocess

import onnx
import yaml

from pipeline.config.values import dump, load_config, params_sha256
from pipeline.lineage import trace
from pipeline.provenance.checks import CARD

DIGESTS = {"train": "a" * 64, "validation": "b" * 64}
METRICS = {"test_accuracy": 0.996}
STAGES = ["prepare", "train", "export"]
CONFIG = load_config()


def config(epochs=CONFIG.train.epochs, mode="portable"):
    train, runtime = (
        CONFIG.train.model_copy(update={"epochs": epochs}),
        CONFIG.runtime.model_copy(update={"mode": mode}),
    )
    return CONFIG.model_copy(update={"train": train, "runtime": runtime})


def model(params, metrics=METRICS, **further):
    """A file with the metadata of a model, and nothing else."""
    graph = onnx.helper.make_graph([], "nothing", [], [])
    file = onnx.helper.make_model(graph)
    told = {"data": {"sha256": DIGESTS}, "metrics": metrics} | further
    onnx.helper.set_model_props(
        file, {"params_sha256": params} | {key: json.dumps(value) for key, value in told.items()}
    )
    return file.SerializeToString()


def md5(content):
    return hashlib.md5(content).hexdigest()


class Project:
    """A directory that git keeps."""

    def __init__(self, directory):
        self.directory = directory
        directory.mkdir()
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments):
        who = ["-c", "user.name=a user", "-c", "user.email=user@example.org"]
        run = subprocess.run(["git", *who, *arguments], cwd=self.directory, capture_output=True, text=True, check=True)
        return run.stdout.strip()

    def write(self, name, content):
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return md5(path.read_bytes())

    def commit(self, subject):
        self.git("add", "--all")
        self.git("commit", "-q", "-m", subject)
        return self.git("rev-parse", "HEAD")

    def export(self, config, metrics=METRICS):
        """All that `dvc repro` leaves of these values; the model's content."""
        content, code = (
            model(params_sha256(config), metrics, parameters=config.model_dump()),
            self.write("pipeline/train.py", f"# {config.train.epochs}"),
        )
        hashes = {
            "params.yaml": self.write("params.yaml", dump(config)),
            "metrics/test.json": self.write("metrics/test.json", json.dumps(METRICS)),
            "docs/model_card.md": self.write("docs/model_card.md", "".join(f"| {it} |" for it in DIGESTS.values())),
            "models/digits.onnx": self.write("models/digits.onnx", content),
        }
        values, card = config.model_dump(), md5(json.dumps({"sha256": DIGESTS}).encode())

        def entry(name, params, deps, outs):
            return {"cmd": f"python -m pipeline.{name}", "params": {"params.yaml": params}} | {
                kind: [{"path": path, "hash": "md5", "md5": value} for path, value in paths.items()]
                for kind, paths in (("deps", deps), ("outs", outs))
            }

        stages = {
            "export": entry(
                "export", values, {"models/network.weights.h5": "1" * 32, CARD: card},
                {name: hashes[name] for name in ("docs/model_card.md", "models/digits.onnx")},
            ),
            "teach": entry("teach", {}, {CARD: card}, {"data/taught.npz": "2" * 32}),  # of no stage that leads there
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


def results(found):
    """Of each check, by what and where."""
    return {(check.what, check.where.split(" of ")[0]): check.result for check in found.checks}
