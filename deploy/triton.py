"""Write the model file as a Triton model repository, and print a KServe InferenceService for it.

python -m deploy.triton DIR                               writes DIR/digits, for `tritonserver --model-repository DIR`
python -m deploy.triton DIR --storage-uri s3://bucket/key also prints a manifest for `kubectl apply -f -`; copy the
                                                          content of DIR to that address

The configuration is made from the model file and the constants of the service. So Triton and the service answer the
same requests.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from serving.errors import ModelError
from serving.model.card import OUTPUTS, ModelCard
from serving.model.predictor import Predictor
from serving.queue.engine import MAX_BATCH_IMAGES
from serving.settings import Settings
from serving.v2.routes import configuration

LABELS = "labels.txt"

# The file name that the onnxruntime backend expects.
MODEL_FILE = "model.onnx"

# Fields of `ModelConfig` whose values are enumerators and get no quotes.
ENUMERATIONS = ("data_type", "kind")


def triton_config(card: ModelCard, instances: int) -> dict[str, Any]:
    """Return the `ModelConfig`: the answer of the service's `/config`, and the fields that only Triton needs.

    Args:
        card: card of the model.
        instances: number of parallel runs, each on a core.
    """
    config = configuration(card)
    for output in config["output"]:
        if output["name"] == OUTPUTS[0].name:
            output["label_filename"] = LABELS
    # Limits a batch. Otherwise all waiting requests would run at once: up to 1,024 canvases, with 10 bytes per pixel.
    config["dynamic_batching"]["preferred_batch_size"] = [MAX_BATCH_IMAGES]
    config["instance_group"] = [{"count": instances, "kind": "KIND_CPU"}]
    parameters = {
        # As in the service: a run takes less than a millisecond, and onnxruntime's thread pool spins.
        "intra_op_thread_count": "1",
        "inter_op_thread_count": "1",
        # Triton has its own version numbers and no thresholds, so clients read these parameters.
        "sha256": card.sha256,
        "digit_score_threshold": str(card.thresholds.digit_score),
        "confidence_threshold": str(card.thresholds.confidence),
    }
    config["parameters"] = [{"key": key, "value": {"string_value": value}} for key, value in parameters.items()]
    return config


def text_format(message: Mapping[str, Any], indent: str = "") -> str:
    """Return a message in Protobuf's text format; lists are repeated fields."""
    lines = []
    for name, value in message.items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, Mapping):
                lines.append(f"{indent}{name} {{\n{text_format(one, indent + '  ')}{indent}}}\n")
            else:
                lines.append(f"{indent}{name}: {one if name in ENUMERATIONS else json.dumps(one)}\n")
    return "".join(lines)


def write_repository(model: Path, folder: Path, version: int = 1, instances: int = 1) -> ModelCard:
    """Write configuration, labels and file of a model below `folder`, and return its card.

    Args:
        model: the model file; it is checked like in the service.
        folder: the repository; it may contain other models, and other versions of this model.
        version: Triton's number, from 1; Triton serves the highest.
        instances: as in `triton_config`.

    Raises:
        ModelError: the file is not a usable model.
        OSError: the repository cannot be written.
    """
    predictor = Predictor.load(model)
    card = predictor.card
    home = folder / card.name
    (home / str(version)).mkdir(parents=True, exist_ok=True)
    (home / str(version) / MODEL_FILE).write_bytes(predictor.content)
    (home / LABELS).write_text("".join(f"{name}\n" for name in card.classes))
    (home / "config.pbtxt").write_text(text_format(triton_config(card, instances)))
    return card


def inference_service(card: ModelCard, storage_uri: str) -> dict[str, Any]:
    """Return the manifest of a KServe InferenceService for a repository.

    Args:
        card: card of the model.
        storage_uri: address of the repository's content, such as s3://bucket/path.
    """
    model = {
        # Several runtimes support ONNX; only this one reads the configuration.
        "runtime": "kserve-tritonserver",
        "modelFormat": {"name": "onnx"},
        "protocolVersion": "v2",
        "storageUri": storage_uri,
    }
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": card.name, "annotations": {"inkling/sha256": card.sha256}},
        "spec": {"predictor": {"model": model}},
    }


def main(arguments: Sequence[str]) -> int:
    """Run the command and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m deploy.triton", description="Writes a Triton model repository.")
    parser.add_argument("folder", type=Path, metavar="DIR", help="the repository; other models in it stay")
    parser.add_argument("--model", type=Path, default=Settings.model, help="model file (default %(default)s)")
    parser.add_argument("--version", type=_count, default=1, help="Triton's version of it (default 1)")
    parser.add_argument("--instances", type=_count, default=1, help="runs at a time, each on a core (default 1)")
    parser.add_argument("--storage-uri", help="where KServe finds the repository's content; prints the manifest")
    options = parser.parse_args(arguments)
    try:
        card = write_repository(options.model, options.folder, options.version, options.instances)
    except (ModelError, OSError) as error:
        print(f"python -m deploy.triton: {error}", file=sys.stderr)
        return 1
    if options.storage_uri:
        # JSON is YAML too.
        print(json.dumps(inference_service(card, options.storage_uri), indent=2))
    else:
        print(f"{card.name} {card.version} is version {options.version} in {options.folder}")
    return 0


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
