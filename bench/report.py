"""Write docs/measurements.md, and the end of docs/reproducibility.md, from the results of the benchmarks.

python -m bench.report
"""

import argparse
import json
from collections.abc import Mapping
from typing import Any

from bench import RESULTS, network_sha256
from bench.hands import section as hands_section
from bench.networks import section as networks_section
from bench.peers.section import section
from bench.rounds import ratio, spread
from bench.scale.section import section as scale_section
from pipeline.base.files import write_text
from pipeline.base.markdown import percent, table
from pipeline.base.paths import ROOT, Outputs
from pipeline.config.values import load_config

DOCUMENT = ROOT / "docs" / "measurements.md"
REPRODUCIBILITY = ROOT / "docs" / "reproducibility.md"
# They take long.
MAY_BE_OLD = ("ablation", "install", "peers", "scale")
MEASURED = "## Measured\n\n"  # heading of the generated part of that document


def report(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the document as Markdown. Benchmarks without results are left out."""
    sections = {
        "seeds": _seeds,
        "networks": networks_section,
        "ablation": _ablation,
        "hands": hands_section,
        "latency": _latency,
        "int8": _int8,
        "install": _install,
        "peers": section,
        "scale": scale_section,
    }
    head = (
        "# Measurements\n\nWritten by `python -m bench.report` from what the commands named below left. Times are of "
        "one machine of two cores, and only their ratios mean something elsewhere.\n"
        "What the model achieves is in [its card](model_card.md)."
    )
    written = [write(results[name]) + _age(name, results[name]) for name, write in sections.items() if name in results]
    return "\n\n".join([head, *written]) + "\n"


def _age(name: str, results: Mapping[str, Any]) -> str:
    """Return a note for a benchmark of the service or the data that has not been repeated with the present model."""
    if name not in MAY_BE_OLD or results["params_sha256"] == network_sha256(load_config()):
        return ""
    return "\n\nThis was measured with an earlier model and has not been repeated since."


def _seeds(results: Mapping[str, Any]) -> str:
    names = ("val_accuracy", "test_accuracy", "strokes_accuracy", "strokes_worst_accuracy")
    rows = [(seed, *(percent(figures[name]) for name in names)) for seed, figures in results["seeds"].items()]
    rows += [
        (
            f"**{kind}**",
            *(percent(results["spread"][name][kind], 3 if kind in ("mean", "sd") else 2) for name in names),
        )
        for kind in ("mean", "sd")
    ]
    own = next(iter(results["seeds"]))
    seconds = [figures["train_seconds"] for figures in results["seeds"].values() if "train_seconds" in figures]
    return (
        f"## The recipe's spread over seeds\n\n`{results['command']}`. "
        f"The model is that of seed {own}, whatever the others do. The fastest training took {min(seconds):.0f} "
        "seconds on two cores, the start of the process and the calibration included.\n\n"
        + table(("seed", "validation", "MNIST test", "14 writers", "worst of eight ways"), rows)
    )


def _ablation(results: Mapping[str, Any]) -> str:
    rows = [
        (name, *(percent(figures[key]) for key in ("test_accuracy", "strokes_accuracy", "strokes_worst_accuracy")))
        for name, figures in results["variants"].items()
    ]
    return (
        f"## What each kind of image is worth\n\n`{results['command']}`. Each variant is "
        f"shown as many digits as {results['epochs']} epochs of all have; the recipe is otherwise the model's.\n\n"
        + table(("learnt from", "MNIST test", "14 writers", "worst of eight ways"), rows)
    )


def _latency(results: Mapping[str, Any]) -> str:
    rows = [
        (
            size.replace("_", " "),
            *(
                f"{figures[f'{name}_{kind}_us']:.0f}"
                for name in ("ours", "reference")
                for kind in ("median", "fastest")
            ),
            f"{figures['ratio_median']:.2f}",
        )
        for size, figures in results.items()
        if isinstance(figures, dict)
    ]
    return (
        f"## Latency of the whole file\n\n`{results['command']}`. One run on one thread, microseconds; the "
        "reference's network in the same graph, with the same normaliser and outputs, in pairs.\n\n"
        + table(("picture", "ours, median", "fastest", "reference, median", "fastest", "ratio"), rows)
    )


def _int8(results: Mapping[str, Any]) -> str:
    rows = [
        (n_images, f"{figures['float32_us']:.0f}", f"{figures['int8_us']:.0f}", f"{figures['ratio']:.2f}")
        for n_images, figures in results["runs"].items()
    ]
    answers, size = results["answers"], {name: f"{n_bytes / 1000:.0f}" for name, n_bytes in results["bytes"].items()}
    return (
        f"## What 8-bit convolutions would bring\n\n`{results['command']}`. The model file, and the same with its "
        f"convolutions quantised: {size['float32']} and {size['int8']} kB. Of {answers['images']:,} of MNIST's "
        f"training images {answers['classes_changed']} get another class, and a probability changes by up to "
        f"{answers['largest_difference']:.2g}. Microseconds an image, 28x28, on one thread, in pairs:\n\n"
        + table(("images in a run", "as it is", "8 bits", "ratio"), rows)
    )


def bits(text: str, results: Mapping[str, Any] | None) -> str:
    """Return the text of docs/reproducibility.md with a new measured part, or none without results."""
    written_by_hand = text.split(MEASURED)[0].rstrip() + "\n"
    return f"{written_by_hand}\n{MEASURED}{_bits(results)}\n" if results else written_by_hand


def _bits(results: Mapping[str, Any]) -> str:
    kinds = {"held": "around it", "changed": "without a pin", "emulated": "emulated processor"}
    rows = [
        (kinds[kind], name, "equal" if found["equal"] else "; ".join(map(_difference, found["differing"].items())))
        for kind in kinds
        for name, found in results[kind].items()
    ]
    step = results["step_ms"]
    return (
        f"`{results['command']}`, on {results['cpu']}, {results['n_cores']} cores. {results['steps']} steps of the "
        "training and some pictures in a process of their own, against another with mode=portable. Of what differs: "
        "how many arrays, and the largest difference of a value.\n\n"
        + table(("", "what is other", "bits"), rows)
        + f"\n\nA step in mode=portable takes {ratio(step['portable'], step['fast'])} of one in mode=fast; "
        f"{len(step['fast'])} pairs, both at once."
    )


def _difference(item: tuple[str, Mapping[str, Any]]) -> str:
    kind, row = item
    return f"{kind} {row['arrays']} of {row['of']}, {row['largest']:.1e}"


def _install(results: Mapping[str, Any]) -> str:
    service, alone = (results["seconds"][name] for name in ("service", "onnxruntime"))
    return (
        f"## What an installed service takes\n\n`{results['command']}`, on {results['cpu']}. The wheel, with the model "
        f"and the page in it, has {results['wheel_bytes'] / 1e6:.2f} MB; an environment with the "
        f"{results['n_packages']} packages that the service needs, itself among them, "
        f"{results['environment_bytes'] / 1e6:.0f} MB, without pip. From the start of `inkling-serve` to the first "
        f"right answer it takes {ratio(service, alone)} times as long as an interpreter that imports onnxruntime and "
        f"ends, median (least to largest): {spread(service).median:.2f} s against {spread(alone).median:.2f} s."
    )


def read() -> dict[str, dict[str, Any]]:
    """Return the results of all benchmarks that have been run."""
    files = {"seeds": Outputs().metrics("seeds")} | {
        name: RESULTS / f"{name}.json"
        for name in ("hands", "networks", "latency", "int8", "ablation", "install", "peers", "scale")
    }
    return {name: json.loads(file.read_text()) for name, file in files.items() if file.exists()}


def read_bits() -> dict[str, Any] | None:
    """Return the results of `python -m bench.bits`, None if it has not been run. They belong to no model."""
    file = RESULTS / "bits.json"
    return json.loads(file.read_text()) if file.exists() else None


if __name__ == "__main__":
    argparse.ArgumentParser(usage=__doc__).parse_args()
    write_text(DOCUMENT, report(read()))
    write_text(REPRODUCIBILITY, bits(REPRODUCIBILITY.read_text(), read_bits()))
