"""The peers: requirements, command and requests of each.

Each peer is set up in the fastest way that its documentation describes. All have one worker for their one core, no
logs, and onnxruntime on one thread. Each gets the forms of request that it documents. A peer that documents adaptive
batching appears a second time, with batching.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.peers import FLOOR, HAND, OURS, jobs
from bench.peers.jobs import Form
from pipeline.base.paths import ROOT

SERVERS = Path(__file__).parent / "servers"

# Requirements of all peers: the model's runtime, and uvicorn's fastest loop and parser.
RUNTIME = ("numpy==2.4.6", "onnxruntime==1.31.1", "pillow==13.0.0", "httptools==0.9.0", "uvloop==0.23.0")
# One worker, the loop and parser of our service, no access log.
UVICORN = (
    "{python} -m uvicorn --port {port} --app-dir {servers} --loop uvloop --http httptools --no-access-log "
    "--log-level error"
)


@dataclass(frozen=True)
class Peer:
    """One server.

    Attributes:
        name: name in the tables.
        requirements: text of its requirements file.
        command: its start command, split at spaces. {python}, {bin} and {home} belong to its environment; {servers} is
            the folder of its code, and {port} its port.
        forms: requests that it is sent. The first one also tests whether it has started.
        prepare: commands after the installation. {ours} is the Python that runs the bench.
        variables: environment variables of its process.
        environment: the peer whose environment it uses, if not its own.
        has_batching: its server turns adaptive batching on if the variable BATCHING is set.
    """

    name: str
    requirements: str
    command: str
    forms: tuple[Form, ...]
    prepare: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    environment: str = ""
    has_batching: bool = False


def _pins(*packages: str) -> str:
    return "".join(f"{package}\n" for package in packages)


def _with_batching(peers: tuple[Peer, ...]) -> Iterator[Peer]:
    for peer in peers:
        yield peer
        if peer.has_batching:
            yield replace(
                peer,
                name=f"{peer.name} batching",
                forms=peer.forms[:1],
                variables=peer.variables | {"BATCHING": "1"},
                environment=peer.name,
            )


SERVICE = Peer(
    OURS,
    (ROOT / "requirements" / "serving.txt").read_text(),
    "{python} -m serving --port {port}",
    (jobs.raw_tensor("/api/predict"), jobs.v2_binary_tensor(), jobs.v2_tensor(), jobs.raw_png("/api/predict")),
    variables={"PYTHONPATH": str(ROOT)},
)
FASTAPI = Peer(
    "FastAPI",
    _pins("fastapi==0.165.0", "uvicorn==0.54.0", "python-multipart==0.0.34", *RUNTIME),
    f"{UVICORN} fastapi_app:app",
    (jobs.json_tensor("/tensor"), jobs.form_png("/upload")),
)
PEERS = (
    replace(SERVICE, name=FLOOR, command=f"{UVICORN} floor_app:app", forms=(jobs.raw_tensor("/"),), environment=OURS),
    SERVICE,
    replace(FASTAPI, name=HAND, forms=(jobs.raw_tensor("/raw"), jobs.raw_png("/png")), environment=FASTAPI.name),
    FASTAPI,
    *_with_batching(
        (
            Peer(
                "LitServe",
                _pins("litserve==0.2.19", *RUNTIME),
                "{python} {servers}/litserve_app.py {port}",
                (jobs.json_tensor("/predict"),),
                has_batching=True,
            ),
            Peer(
                "BentoML",
                _pins("bentoml==1.4.39", *RUNTIME),
                "{bin}/bentoml serve bentoml_service:Digits --working-dir {servers} --port {port}",
                (jobs.json_tensor("/tensor", name=None), jobs.raw_png("/png")),
                variables={"BENTOML_DO_NOT_TRACK": "True", "BENTOML_HOME": "{home}/bentoml"},
                has_batching=True,
            ),
            Peer(
                "MLServer",
                _pins("mlserver==1.7.1", *RUNTIME),
                "{python} {servers}/mlserver_app.py {port}",
                (jobs.v2_tensor(),),
                has_batching=True,
            ),
            Peer(
                "KServe",
                _pins("kserve==0.21.0", *RUNTIME),
                "{python} {servers}/kserve_app.py {port}",
                (jobs.v2_binary_tensor(), jobs.v2_tensor()),
            ),
            Peer(
                "MLflow",
                _pins("mlflow==3.17.2", *RUNTIME),
                "{bin}/mlflow models serve --model-uri {home}/model --env-manager local --workers 1 --port {port}",
                (jobs.json_tensor("/invocations", "inputs"),),
                prepare=("{python} {servers}/mlflow_model.py {home}/model",),
                variables={
                    "PYTHONPATH": str(SERVERS),
                    "MLFLOW_DISABLE_TELEMETRY": "true",
                    "UVICORN_ACCESS_LOG": "false",
                },
            ),
            Peer(
                "Ray Serve",
                _pins("ray[serve]==2.60.0", *RUNTIME),
                "{python} {servers}/ray_app.py {port}",
                (jobs.raw_tensor("/tensor"), jobs.raw_png("/png")),
                variables={
                    "PYTHONPATH": str(SERVERS),
                    "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
                    "RAY_USAGE_STATS_ENABLED": "0",
                },
                has_batching=True,
            ),
        )
    ),
)
