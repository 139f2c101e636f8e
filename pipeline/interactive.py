"""Ask for the most important parameters, then train: `make train`.

python -m pipeline.interactive [override ...]

Defaults are the values of params.yaml, changed by the overrides; without a terminal all defaults are used. The results
are below outputs/interactive/, not in files that DVC tracks.
"""

import argparse
import json
import logging
import select
import shlex
import sys
from collections.abc import Sequence
from datetime import datetime

from rich.console import Console
from rich.text import Text

from pipeline.base.errors import ConfigError
from pipeline.base.files import read_json, write_text
from pipeline.base.paths import ROOT, Outputs
from pipeline.config.schema import describe
from pipeline.config.values import dump, flatten, load_config, require_checkout
from pipeline.dataset.splits import load_card
from pipeline.runtime.stage import exit_with_signal_status
from pipeline.train import train

ASKED = (
    "model.name", "model.width", "model.dropout", "model.batchnorm", "train.epochs", "train.patience",
    "train.batch_size", "train.optimizer", "train.learning_rate", "train.schedule", "train.weight_decay",
)  # fmt: skip


def ask(overrides: Sequence[str], console: Console) -> list[str]:
    """Ask for the values. Return the overrides, and one more for each value that was typed."""
    chosen, defaults = list(overrides), flatten(load_config(overrides))
    if not sys.stdin.isatty():
        console.print("No terminal: training with the defaults.")
        return chosen
    console.print("Press Enter for the value in brackets.\n")
    for key in ASKED:
        default = defaults[key] if isinstance(defaults[key], str) else json.dumps(defaults[key])
        prompt = Text.assemble((key, "bold"), f"  {describe(key)} ({default}): ")
        while (value := _read_line(prompt, console)) not in ("", default):
            try:
                load_config([*chosen, f"{key}={value}"])
            except ConfigError as error:
                console.print(Text(str(error), "red"))
            else:
                chosen.append(f"{key}={value}")
                break
    return chosen


def _read_line(prompt: Text, console: Console) -> str:
    console.print(prompt, end="")
    # Python handles a signal that arrives just before a read only after the read.
    while not select.select([sys.stdin], [], [], 0.1)[0]:
        pass
    return input().strip()


def run(overrides: Sequence[str], console: Console) -> None:
    """Train with these values; print the progress and the results."""
    config = load_config(overrides)
    outputs = Outputs(ROOT / "outputs" / "interactive" / f"{datetime.now():%Y-%m-%d_%H-%M-%S-%f}")
    write_text(outputs.directory / "params.yaml", dump(config))
    command = f"{shlex.join(['python', '-m', 'pipeline.interactive', *overrides])} </dev/null"
    console.print(Text.assemble("\nThe same without questions: ", (command, "bold"), "\n"), soft_wrap=True)
    train(config, outputs, " ".join(overrides) or "interactive")
    for name, value in read_json(outputs.metrics("train"), made_by="train").items():
        console.print(f"{name:24} {value:g}")
    console.print(f"written to {outputs.directory.relative_to(ROOT)}", soft_wrap=True)
    console.print("compare it with other runs in MLflow: `make ui`, or your server", soft_wrap=True)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("overrides", nargs="*")
    overrides = parser.parse_args().overrides
    console = Console(highlight=False)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        with exit_with_signal_status():
            require_checkout()
            load_card()  # fail before the questions if there is no data
            run(ask(overrides, console), console)
    except (KeyboardInterrupt, EOFError):
        sys.exit(130)


if __name__ == "__main__":
    main()
