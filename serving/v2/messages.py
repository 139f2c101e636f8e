"""What the routes of /v2 take and return. `/openapi.json` is made from these classes."""

from typing import Annotated, Any

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from serving.model.card import FEATURES, INPUTS, OUTPUTS, Tensor, Version, about

Count = Annotated[int, Meta(ge=0)]
Length = Annotated[int, Meta(ge=1)]
Level = Annotated[int, Meta(ge=0, le=255)]
Data = list[Level | list[list[Level]]]
Microseconds = Annotated[int, Meta(ge=0, le=2**53)]
Unsupported = Annotated[Raw | UnsetType, about("Not supported.")]
InputName = Annotated[str, Meta(extra_json_schema={"enum": [INPUTS[0].name]})]
InputType = Annotated[str, Meta(extra_json_schema={"enum": [INPUTS[0].datatype]})]
OutputName = Annotated[str, Meta(extra_json_schema={"enum": [tensor.name for tensor in OUTPUTS]})]


class InputParameters(Struct, frozen=True):
    """Parameters of an input."""

    binary_data_size: Annotated[Count | UnsetType, about("Bytes of the tensor after the JSON.")] = UNSET


class InputTensor(Struct):
    """The images. Their levels are in `data`, or in the bytes after the JSON."""

    name: InputName
    shape: Annotated[tuple[Length, Length, Length], about("Images, height and width.")]
    datatype: InputType
    parameters: InputParameters = InputParameters()
    data: Annotated[Data | UnsetType, about("Grey levels, flat or nested as the shape.")] = UNSET


class OutputParameters(Struct, frozen=True):
    """Parameters of an output."""

    binary_data: Annotated[bool | UnsetType, about("Send this output as bytes after the JSON.")] = UNSET
    classification: Unsupported = UNSET
    shared_memory_region: Unsupported = UNSET


class RequestedOutput(Struct):
    """An output that the client wants."""

    name: OutputName
    parameters: OutputParameters = OutputParameters()


class InferParameters(Struct, frozen=True):
    """Parameters of a request. Others are ignored."""

    timeout: Annotated[
        Microseconds, about("If the answer would come later, it is 503 and the model does not run. 0: none.")
    ] = 0
    binary_data_output: Annotated[bool, about("Send all outputs as bytes after the JSON.")] = False


class InferRequest(Struct):
    """Images for the model."""

    inputs: tuple[InputTensor]
    id: Annotated[str | UnsetType, about("The answer repeats it.")] = UNSET
    outputs: Annotated[list[RequestedOutput], about(f"If it is empty, all outputs but `{FEATURES}` are sent.")] = []
    parameters: InferParameters = InferParameters()


class OutputTensor(Struct, forbid_unknown_fields=True):
    """An output of the model. Its values are in `data`, or in the bytes after the JSON."""

    name: OutputName
    datatype: str
    shape: list[Count]
    data: Annotated[
        Raw | UnsetType,
        Meta(description="Flat, row by row.", extra_json_schema={"type": "array", "items": {"type": "number"}}),
    ] = UNSET
    parameters: Annotated[dict[str, Count] | UnsetType, about("The `binary_data_size`.")] = UNSET


class InferResponse(Struct, forbid_unknown_fields=True):
    """The outputs of the model."""

    model_name: str
    model_version: Version
    outputs: list[OutputTensor]
    id: str | UnsetType = UNSET


class Live(Struct, forbid_unknown_fields=True):
    """The process answers."""

    live: bool


class Ready(Struct, forbid_unknown_fields=True):
    """Whether predictions are answered."""

    ready: bool
    name: Annotated[str | UnsetType, about("The model in the address, if there is one.")] = UNSET


class ServerMetadata(Struct, forbid_unknown_fields=True):
    """The server, and the extensions of the protocol that it supports."""

    name: str
    version: str
    extensions: list[str]


class ModelMetadata(Struct, forbid_unknown_fields=True):
    """The signature of the model."""

    name: str
    versions: list[Version]
    platform: str
    inputs: list[Tensor]
    outputs: list[Tensor]


class Duration(Struct, forbid_unknown_fields=True):
    """How often, and how long in all."""

    count: Count
    ns: Annotated[Count, about("Nanoseconds.")]


class ModelStatistics(Struct, forbid_unknown_fields=True):
    """Statistics since the service started, of all models that it has used."""

    name: str
    version: Version
    last_inference: Annotated[Count, about("Milliseconds since 1970; 0 before the first.")]
    inference_count: Annotated[Count, about("Images.")]
    execution_count: Annotated[Count, about("Runs of the model. A batch is one run.")]
    inference_stats: Annotated[dict[str, Duration], about("Requests and their steps, by name.")]


class Statistics(Struct, forbid_unknown_fields=True):
    """Statistics of the model; empty if no model is loaded."""

    model_stats: list[ModelStatistics]


class IndexEntry(Struct, forbid_unknown_fields=True):
    """The state of the model."""

    name: str
    version: Annotated[str, about("Empty if the model is not loaded.")]
    state: Annotated[str, Meta(extra_json_schema={"enum": ["READY", "UNAVAILABLE"]})]
    reason: str


class LoadRequest(Struct):
    """Parameters for loading or unloading. The model's file and configuration are the service's own."""

    parameters: dict[str, Any] = {}
