"""The peers: requirements, command and requests of each.

Each peer is set up in the fastest way that its documentation describes. All have one worker for their one core, no
logs, and onnxruntime on one thread. Each gets the forms of request that it documents.
"""

from dataclasses import dataclass, field
from pathlib import Path

from bench.peers import FLOOR, OURS, jobs
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
        forms: requests that its documentation describes. The first one also tests whether it has started.
        tuned_forms: faster requests that are read by hand.
        prepare: commands after the installation. {ours} is the Python that runs the bench.
        variables: environment variables of its process.
        environment: the peer whose environment it uses, if not its own.
    """

    name: str
    requirements: str
    command: str
    forms: tuple[Form, ...]
    tuned_forms: tuple[Form, ...] = ()
    prepare: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    environment: str = ""


def _pins(*packages: str) -> str:
    return "".join(f"{package}\n" for package in packages)


_SERVICE = (ROOT / "requirements" / "serving.txt").read_text()

PEERS = (
    Peer(FLOOR, _SERVICE, f"{UVICORN} floor_app:app", (jobs.raw_tensor("/"),), environment=OURS),
    Peer(
        OURS,
        _SERVICE,
        "{python} -m serving --port {port}",
        (jobs.raw_tensor("/api/predict"), jobs.v2_binary_tensor(), jobs.v2_tensor(), jobs.raw_png("/api/predict")),
        variables={"PYTHONPATH": str(ROOT)},
    ),
    Peer(
        "FastAPI",
        _pins("fastapi==0.165.0", "uvicorn==0.54.0", "python-multipart==0.0.34", *RUNTIME),
        f"{UVICORN} fastapi_app:app",
        (jobs.json_tensor("/tensor"), jobs.form_png("/upload")),
        tuned_forms=(jobs.raw_tensor("/raw"), jobs.raw_png("/png")),
    ),
    Peer(
        "LitServe",
        _pins("litserve==0.2.19", *RUNTIME),
        "{python} {servers}/litserve_app.py {port}",
        (jobs.json_tensor("/predict"), jobs.json_png("/predict", "png")),
    ),
    Peer(
        "BentoML",
        _pins("bentoml==1.4.39", *RUNTIME),
        "{bin}/bentoml serve bentoml_service:Digits --working-dir {servers} --port {port}",
        (jobs.json_tensor("/tensor", name=None), jobs.raw_png("/png")),
        variables={"BENTOML_DO_NOT_TRACK": "True", "BENTOML_HOME": "{home}/bentoml"},
    ),
    Peer(
        "MLServer",
        _pins("mlserver==1.7.1", *RUNTIME),
        "{python} {servers}/mlserver_app.py {port}",
        (jobs.v2_tensor(), jobs.v2_png()),
    ),
    Peer(
        "KServe",
        _pins("kserve==0.21.0", *RUNTIME),
        "{python} {servers}/kserve_app.py {port}",
        (jobs.v2_binary_tensor(), jobs.v2_tensor(), jobs.v2_png()),
    ),
    Peer(
        "MLflow",
        _pins("mlflow==3.17.2", *RUNTIME),
        "{bin}/mlflow models serve --model-uri {home}/model --env-manager local --workers 1 --port {port}",
        (jobs.json_tensor("/invocations", "inputs"), jobs.json_png("/invocations", "inputs")),
        prepare=("{python} {servers}/mlflow_model.py {home}/model",),
        variables={"PYTHONPATH": str(SERVERS), "MLFLOW_DISABLE_TELEMETRY": "true", "UVICORN_ACCESS_LOG": "false"},
    ),
    Peer(
        "Ray Serve",
        _pins("ray[serve]==2.60.0", *RUNTIME),
        "{python} {servers}/ray_app.py {port}",
        (jobs.raw_tensor("/tensor"), jobs.raw_png("/png")),
        variables={"PYTHONPATH": str(SERVERS), "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1", "RAY_USAGE_STATS_ENABLED": "0"},
    ),
    Peer(
        "Flask + Keras",
        _pins("flask==3.1.3", "gunicorn==27.0.1", "keras==3.15.1", "tensorflow-cpu==2.21.0", "pillow==13.0.0"),
        "{bin}/gunicorn --chdir {servers} --bind 127.0.0.1:{port} --worker-class gthread --threads 4 --keep-alive 75 "
        "--no-control-socket flask_app:app",
        (jobs.json_tensor("/tensor"), jobs.form_png("/png")),
        prepare=("{ours} -m bench.peers.keras_network {home}/network.keras",),
        variables={"KERAS_NETWORK": "{home}/network.keras", "TF_CPP_MIN_LOG_LEVEL": "3"},
    ),
)
