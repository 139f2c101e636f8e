"""Record a run with an artifact in the store of the project at DVC_ROOT; the run's name is the argument."""

import sys

from pipeline.base.paths import PROJECT, Outputs
from pipeline.config.values import load_config
from pipeline.dataset.splits import DataCard
from pipeline.network.history import Epoch
from pipeline.tracking.runs import start_run

DIGESTS = {"train": "a" * 64, "validation": "b" * 64, "test": "c" * 64}
CARD = DataCard("mnist", "MNIST", 2, 2, 2, {}, 0, DIGESTS, {})

if __name__ == "__main__":
    name = sys.argv[1]
    artifact = PROJECT / name / "plot.csv"
    artifact.parent.mkdir()
    artifact.write_text(f"of {name}")
    with start_run(name, load_config(), CARD, Outputs(artifact.parent)) as run:
        run.log_epoch(Epoch(1, 0.5, 0.8, 0.4, 0.9, 0.001), seconds=1.0)
        run.log_plots(artifact)
        print("recording", flush=True)
        if "--wait" in sys.argv:
            input()
