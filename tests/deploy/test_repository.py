import json
import subprocess
import sys

import onnx
import pytest
from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import DataType, ModelConfig

from deploy.triton import main, write_repository
from serving.settings import Settings
from tests.project import ROOT

TYPES = {onnx.TensorProto.UINT8: "TYPE_UINT8", onnx.TensorProto.FLOAT: "TYPE_FP32"}


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    folder = tmp_path_factory.mktemp("repository")
    card = write_repository(Settings.model, folder, version=3)
    return folder / card.name


@pytest.fixture(scope="module")
def config(repository):
    # The schema makes a wrong name, type or enumerator an error.
    return text_format.Parse((repository / "config.pbtxt").read_text(), ModelConfig())


@pytest.fixture(scope="module")
def model():
    return onnx.load(Settings.model)


def of_file(tensors):
    shapes = {tensor.name: tensor.type.tensor_type for tensor in tensors}
    return {
        name: (TYPES[kind.elem_type], [length.dim_value or -1 for length in kind.shape.dim[1:]])
        for name, kind in shapes.items()
    }


def of_config(tensors):
    return {
        tensor.name: (
            DataType.Name(tensor.data_type),
            list(tensor.reshape.shape if tensor.HasField("reshape") else tensor.dims),
        )
        for tensor in tensors
    }


def test_names_types_and_shapes_are_those_of_the_file(config, model, repository):
    assert config.name == repository.name
    assert (repository / "3" / "model.onnx").read_bytes() == Settings.model.read_bytes()
    assert of_config(config.input) == of_file(model.graph.input)
    assert of_config(config.output) == of_file(model.graph.output)
    for tensor in (*model.graph.input, *model.graph.output):
        assert tensor.type.tensor_type.shape.dim[0].dim_param  # any batch
    assert config.max_batch_size > 1


def test_labels_and_thresholds_are_those_of_the_file(config, model, repository):
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    (labelled,) = (output for output in config.output if output.label_filename)
    assert labelled.name == "probabilities"
    assert (repository / labelled.label_filename).read_text().split() == json.loads(metadata["classes"])
    for name, value in json.loads(metadata["thresholds"]).items():
        assert float(config.parameters[f"{name}_threshold"].string_value) == value


def test_the_command_needs_nothing_of_the_pipeline(tmp_path):
    uri = "s3://models/inkling"
    command = [sys.executable, "-X", "importtime", "-m", "deploy.triton", str(tmp_path), "--storage-uri", uri]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert not imported & {"pipeline", "tensorflow", "mlflow", "onnx", "google"}
    manifest = json.loads(done.stdout)
    predictor = manifest["spec"]["predictor"]["model"]
    assert (manifest["kind"], manifest["metadata"]["name"]) == ("InferenceService", "digits")
    assert (predictor["storageUri"], predictor["protocolVersion"]) == (uri, "v2")
    assert (tmp_path / "digits" / "config.pbtxt").exists()


def test_a_file_that_is_not_a_model_is_rejected(tmp_path, capsys):
    assert main([str(tmp_path / "repository"), "--model", str(ROOT / "README.md")]) == 1
    assert "README.md is not usable" in capsys.readouterr().err
    assert not (tmp_path / "repository").exists()
