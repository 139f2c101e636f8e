"""Measure how much the results vary with the seed.

python -m bench.seeds --seeds 1 2 3 4

Train once for each seed, below outputs/seeds/, and measure like `evaluate`. A finished training is repeated only if
params.yaml changes, or the model's weights do. The results choose no seed: the model keeps the seed in params.yaml. Its
own results are in the list.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from omegaconf import OmegaConf

from bench import LATER, begin, weights_md5
from pipeline.base.errors import InklingError
from pipeline.base.files import read_json, write_json
from pipeline.base.markdown import percent, table
from pipeline.base.paths import ROOT, Outputs
from pipeline.config.schema import Config
from pipeline.config.values import load_config
from pipeline.dataset.splits import load_split
from pipeline.evaluation.metrics import Answered, measure
from pipeline.evaluation.strokes import average, load_test_drawings, measure_cells, read_cells
from pipeline.reader.model import Reader, load_reader, read_all
from pipeline.runtime.mode import set_up, use_float32

Figures = dict[str, float]
TIMING = "timing.json"  # seconds of the whole training process, including its start and the calibration
NAMES = ("val_accuracy", "test_accuracy", "strokes_accuracy", "strokes_worst_accuracy")
SPREAD: dict[str, Callable[[list[float]], float]] = {
    "mean": statistics.mean,
    "sd": statistics.stdev,
    "min": min,
    "max": max,
}


def train(seed: int) -> Outputs:
    """Return the outputs of the training with `seed`. Train only if they do not exist.

    Raises:
        InklingError: the training failed.
    """
    directory = f"outputs/seeds/{seed}"
    outputs = Outputs(ROOT / directory)
    if not is_trained(load_config([f"train.seed={seed}"]), outputs):
        shutil.rmtree(outputs.directory, ignore_errors=True)  # removes an unfinished run, or one with other parameters
        started = time.perf_counter()
        command = [sys.executable, "-m", "pipeline.train", f"train.seed={seed}", f"hydra.run.dir={directory}"]
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            raise InklingError(f"the training with seed {seed} failed; the message above says why")
        write_json(
            outputs.directory / TIMING,
            {"train_seconds": round(time.perf_counter() - started, 1), "weights_md5": weights_md5()},
        )
    return outputs


def is_trained(config: Config, outputs: Outputs) -> bool:
    """Return whether the outputs of a training with these parameters and this code are complete."""
    used = outputs.directory / ".hydra" / "config.yaml"  # Hydra writes this file when a run starts
    results = (used, outputs.directory / TIMING, outputs.weights, outputs.calibration, outputs.metrics("train"))
    if not all(file.exists() for file in results):
        return False
    if read_json(outputs.directory / TIMING, made_by="bench.seeds").get("weights_md5") != weights_md5():
        return False
    own = OmegaConf.load(used)
    return all(OmegaConf.select(own, name) == values for name, values in config.model_dump(exclude=LATER).items())


def measure_run(reader: Reader, outputs: Outputs) -> Figures:
    """Return the accuracies of a trained network, 0 to 1."""
    test, thresholds = load_split("test"), reader.calibration.thresholds
    figures = {"val_accuracy": read_json(outputs.metrics("train"), made_by="train")["val_accuracy"]}
    figures |= measure("test", Answered(test.labels, read_all(reader, test.images)), thresholds)
    figures |= average(measure_cells(read_cells(reader, load_test_drawings()), thresholds))
    return {name: figures[name] for name in NAMES if name in figures}


def read_own() -> Figures:
    """Return the figures that the stages of the pipeline wrote."""
    outputs = Outputs()
    written = read_json(outputs.metrics("train"), made_by="train") | read_json(outputs.metrics("test"), "evaluate")
    return {name: written[name] for name in NAMES if name in written}


def summarize(by_seed: dict[int, Figures]) -> dict[str, Any]:
    """Return the figures of each seed and their spread."""
    names = next(iter(by_seed.values()))
    return {
        "seeds": {str(seed): _rounded(figures) for seed, figures in by_seed.items()},
        "spread": {name: _spread([figures[name] for figures in by_seed.values()]) for name in names},
    }


def _spread(values: list[float]) -> Figures:
    return _rounded({kind: of(values) for kind, of in SPREAD.items()})


def _rounded(figures: Figures) -> Figures:
    return {name: round(value, 6) for name, value in figures.items()}


def _run(config: Config, seeds: list[int]) -> dict[int, Figures]:
    set_up(config.runtime, config.train.seed)
    use_float32()
    by_seed = {config.train.seed: read_own()}
    for seed in seeds:
        outputs = train(seed)
        by_seed[seed] = measure_run(load_reader(config.model, outputs), outputs)
        by_seed[seed]["train_seconds"] = read_json(outputs.directory / TIMING, made_by="train")["train_seconds"]
    return by_seed


def section(results: Mapping[str, Any]) -> str:
    """Return the section of docs/measurements.md."""
    names = results["spread"]
    rows = [(seed, *(percent(figures[name]) for name in names)) for seed, figures in results["seeds"].items()]
    rows += [(f"**{kind}**", *(percent(names[name][kind], 3) for name in names)) for kind in ("mean", "sd")]
    own = next(iter(results["seeds"]))
    seconds = [figures["train_seconds"] for figures in results["seeds"].values() if "train_seconds" in figures]
    return (
        f"## The recipe's spread over seeds\n\n`{results['origin']['command']}`. "
        f"The model is that of seed {own}, whatever the others do. The fastest training took {min(seconds):.0f} "
        "seconds on two cores, the start of the process and the calibration included.\n\n"
        + table(("seed", "validation", "MNIST test", "14 writers", "worst of eight ways"), rows)
    )


def main() -> None:
    """Train and measure each seed, print a table, and write bench/results/seeds.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", required=True, help="seeds besides the one in params.yaml")
    arguments = parser.parse_args()
    try:
        config = load_config()
        if config.train.seed in arguments.seeds:
            parser.error(f"{config.train.seed} is the seed in params.yaml; its results exist already")
        save = begin("seeds")
        summary = summarize(_run(config, arguments.seeds))
    except InklingError as error:
        sys.exit(f"error: {error}")
    print(section(save(summary)))


if __name__ == "__main__":
    main()
