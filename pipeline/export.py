"""Stage 5: convert the reader to models/digits.onnx, and compare its answers with the evaluated ones."""

import json
import logging
from pathlib import Path

from pipeline.base.arrays import join_batches
from pipeline.base.files import read_arrays, read_json, write_atomic
from pipeline.base.paths import PREPARED, Outputs
from pipeline.config.schema import Config
from pipeline.config.values import params_sha256
from pipeline.dataset.splits import load_card, load_split
from pipeline.modelfile.card import write_card
from pipeline.modelfile.golden import N_GOLDEN_CANDIDATES, golden_answers, golden_images
from pipeline.modelfile.metadata import describe
from pipeline.modelfile.onnx_graph import convert
from pipeline.modelfile.parity import compare, pictures, run_file
from pipeline.modelfile.subnetwork import attach_network
from pipeline.network.history import read_history
from pipeline.reader.model import load_reader, read_all
from pipeline.runtime.mode import set_up, use_float32
from pipeline.runtime.stage import run_stage
from pipeline.sources.unipen import unpack
from pipeline.tracking import runs

log = logging.getLogger(__name__)
# Metrics of `evaluate`.
EVALUATED = ("test", "strokes", "refusal", "robustness", "steps", "numbers", "memory", "details")


def export(config: Config) -> None:
    """Convert the reader to the model file. Keep the file only if its answers match those of the evaluated reader.

    Raises:
        ParityError: an answer differs by more than `export.parity_tolerance`.
    """
    outputs = Outputs()
    set_up(config.runtime, config.train.seed)
    use_float32()
    test = load_split("test")
    reader = load_reader(config.model, outputs)
    metrics = {name: read_json(outputs.metrics(name), made_by="evaluate") for name in EVALUATED}
    card = load_card().restrict_to(config.train.parts)
    golden = golden_answers(reader, golden_images(reader, load_split("validation").images[:N_GOLDEN_CANDIDATES]))
    history = read_history(outputs.plot("history.csv"))
    metadata = describe(config, card, reader, metrics, history)
    metadata |= {"golden": json.dumps(golden), "params_sha256": params_sha256(config)}
    model = convert(reader, config.export.opset, metadata)
    attach_network(model, reader, config.export.opset)
    batches = pictures(test.images, unpack(read_arrays(PREPARED / "test_drawings.npz", made_by="prepare")))
    expected = join_batches([read_all(reader, batch) for batch in batches])

    def write_checked(path: Path) -> None:
        path.write_bytes(model.SerializeToString(deterministic=True))
        difference = compare(run_file(path, batches), expected, config.export.parity_tolerance)
        log.info("the model file answers like the evaluated reader: a probability differs by at most %.1e", difference)
        with runs.resume_run(outputs) as run:
            run.log_metrics({"parity_difference": difference})
            run.log_export(config.export.model_dump())
            example = test.images[:1]
            run.log_model(path, {"image": example}, run_file(path, [example]))

    write_atomic(outputs.model, write_checked)
    write_card(outputs.model_card, outputs.model, config, card, reader, metrics)


if __name__ == "__main__":
    run_stage(export)
