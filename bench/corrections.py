"""Simulate the way from visitors' corrections to a better model.

python -m bench.corrections

Half of the test writers visit the page. Their 200 drawings whose digit the model believes least become corrections, and
5 % of them get a false label. `pipeline.review` orders them, and the false ones among the first 20 are deleted. A model
is trained as the stage `train` does, with the others as `data.extra_strokes`. It is measured on the other drawings of
these writers, and on the other writers. The model in use never learns from these writers.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bench import begin
from pipeline.base.classes import N_CLASSES
from pipeline.base.errors import InklingError
from pipeline.base.markdown import percent, table
from pipeline.base.paths import Outputs
from pipeline.config.schema import Config
from pipeline.config.values import load_config
from pipeline.dataset.pictures import render_drawings
from pipeline.dataset.splits import Split, join, load_card, load_split
from pipeline.evaluation.metrics import Answered, measure
from pipeline.evaluation.strokes import average, load_test_drawings, measure_cells, read_cells
from pipeline.network.calibration import calibrate
from pipeline.network.networks import build_network
from pipeline.reader.model import Reader, load_reader, read_all
from pipeline.review import review
from pipeline.runtime.mode import set_up, use_float32
from pipeline.sources.unipen import Drawing
from pipeline.training.trainer import Trainer, predict_logits
from serving.model.predictor import Predictor

N_CORRECTIONS = 200
N_FALSE = 10
N_LOOKED_AT = 20
FIGURES = ("strokes_accuracy", "strokes_worst_accuracy", "strokes_refused")


def correct(drawings: Sequence[Drawing], predictor: Predictor, seed: int) -> tuple[list[Drawing], list[int], int]:
    """Simulate corrections and their review.

    Returns:
        The corrections that remain, the indices of `drawings` that became corrections, and how many false labels were
        among the first `N_LOOKED_AT`.
    """
    numbered = [(str(number), drawing) for number, drawing in enumerate(drawings)]
    chosen = [int(one.name) for one in review(numbered, predictor)[:N_CORRECTIONS]]
    rng = np.random.default_rng(seed)
    false = set(rng.choice(chosen, N_FALSE, replace=False).tolist())
    sent = []
    for number in chosen:
        drawing, shift = drawings[number], int(rng.integers(1, N_CLASSES))
        label = (drawing.label + shift) % N_CLASSES if number in false else drawing.label
        sent.append((str(number), Drawing(label, drawing.writer, drawing.strokes)))
    looked_at = {int(one.name) for one in review(sent, predictor)[:N_LOOKED_AT]}
    found = false & looked_at
    return [drawing for name, drawing in sent if int(name) not in found], chosen, len(found)


def train(config: Config, extra: Split) -> Reader:
    """Train on the prepared images and `extra`, as the stage does. Return the calibrated reader."""
    card, validation = load_card(), load_split("validation")
    trainer = Trainer(build_network(config.model), join([load_split("train"), extra]), validation, config.train)
    _, weights = trainer.fit(lambda epoch, seconds: None)
    use_float32()
    network = build_network(config.model)
    network.set_weights(weights)
    logits = predict_logits(network, validation.images)
    return Reader(network, calibrate(logits, validation.labels, card.parts["validation"], config.decision))


def section(results: Mapping[str, Any]) -> str:
    """Return the section of docs/measurements.md."""
    rows = [
        (group, when, *(percent(row[name]) if name in row else "" for name in ("test_accuracy", *FIGURES)))
        for group in results["results"]["before"]
        for when, row in ((when, figures[group]) for when, figures in results["results"].items())
    ]
    return (
        f"## From corrections to a better model\n\n`{results['origin']['command']}`. A model that also learns from "
        f"{N_CORRECTIONS} corrections by half of the test writers; {N_FALSE} of them are false: a review of the first "
        f"{N_LOOKED_AT} finds {results['n_false_found']}. It measures a way of working; the model in use never learns "
        "from these writers.\n\n"
        + table(("measured on", "corrections", "accuracy", "strokes", "worst of eight ways", "refused"), rows)
    )


def main() -> None:
    """Simulate, train, print a table, and write bench/results/corrections.json."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    save = begin("corrections")
    try:
        config, outputs = load_config(), Outputs()
        set_up(config.runtime, config.train.seed)
        drawings, test = load_test_drawings(), load_split("test")
        before = load_reader(config.model, outputs)
    except InklingError as error:
        sys.exit(f"error: {error}")
    writers = sorted({drawing.writer for drawing in drawings})
    visitors = set(writers[::2])
    theirs = [drawing for drawing in drawings if drawing.writer in visitors]
    kept, chosen, n_found = correct(theirs, Predictor.load(outputs.model), config.train.seed)
    used = set(chosen)
    groups = {
        "visitors, other drawings": [drawing for number, drawing in enumerate(theirs) if number not in used],
        "other writers": [drawing for drawing in drawings if drawing.writer not in visitors],
    }
    strokes = config.strokes
    extra = render_drawings(kept, strokes.renders, config.data.seed + 6, is_warped=True, ink=strokes.ink)
    after = train(config, extra)
    results: dict[str, dict[str, dict[str, float]]] = {}
    for name, reader in {"before": before, "after": after}.items():
        thresholds = reader.calibration.thresholds
        figures = {
            group: average(measure_cells(read_cells(reader, members), thresholds)) for group, members in groups.items()
        }
        figures["MNIST"] = measure("test", Answered(test.labels, read_all(reader, test.images)), thresholds)
        results[name] = figures
    print(section(save({"n_false_found": n_found, "results": results})))


if __name__ == "__main__":
    main()
