"""The peers: requirements, command and requests of each.

Each peer is set up in the fastest way that its documentation describes. All have one worker for their one core, no
logs, and onnxruntime on one thread. Each gets the forms of request that it documents. A peer that documents adaptive
batching appears a second time, with batching.
"""

import os
import subprocess
import venv
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bench import jobs
from bench.jobs import Form
from bench.peers import FLOOR, HAND, OURS
from bench.server import SERVER_CORE, Server, ServerError, running
from pipeline.base.paths import OUTPUTS, ROOT, Outputs

SERVERS = Path(__file__).parent / "servers"
PEERS_HOME = OUTPUTS / "peers"

# Some libraries start one thread per core of the machine.
VARIABLES = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "INKLING_MODEL": str(Outputs().model)}
# Requirements of all peers: the model's runtime, and uvicorn's fastest loop and parser.
RUNTIME = "numpy==2.4.6\nonnxruntime==1.31.1\npillow==13.0.0\nhttptools==0.9.0\nuvloop==0.23.0\n"
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
        prepare: a command after the installation.
        variables: environment variables of its process.
        environment: the peer whose environment it uses, if not its own.
        has_batching: its server turns adaptive batching on if the variable BATCHING is set.
    """

    name: str
    requirements: str
    command: str
    forms: tuple[Form, ...]
    prepare: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    environment: str = ""
    has_batching: bool = False

    @property
    def home(self) -> Path:
        """Return the directory of its environment."""
        return PEERS_HOME / (self.environment or self.name).lower().replace(" ", "")

    def build(self) -> None:
        """Install its environment, unless it exists with the same requirements.

        Raises:
            ServerError: a command failed; the message contains its last output.
        """
        done, wanted = self.home / "requirements.txt", self.home / "wanted.txt"
        if done.exists() and done.read_text() == self.requirements:
            return
        print(f"{self.name}: installing into {self.home}", flush=True)
        venv.create(self.home, clear=True, with_pip=True)
        wanted.write_text(self.requirements)
        for command in filter(None, ("{python} -m pip install --quiet -r {home}/wanted.txt", self.prepare)):
            ran = subprocess.run(self._words(command), env=self._environ(), capture_output=True, text=True, check=False)
            if ran.returncode:
                raise ServerError(f"`{command}` failed: {ran.stderr.strip()[-500:]}")
        wanted.rename(done)

    @contextmanager
    def running(self, cores: Collection[int] = (SERVER_CORE,)) -> Iterator[Server]:
        """Start its server on these cores, and end it afterwards.

        Raises:
            ServerError: it does not start, or gives no right answer; its log is beside its environment.
        """
        with (PEERS_HOME / f"{self.name}.log").open("wb") as log:
            where: dict[str, Any] = {"cwd": self.home, "env": self._environ(), "stdout": log, "stderr": log}
            with running(self._words(self.command), self.forms[0].request, cores, **where) as server:
                yield server

    def _words(self, text: str) -> list[str]:
        places = {"bin": self.home / "bin", "python": self.home / "bin" / "python", "home": self.home}
        return [word.format(**places, servers=SERVERS, port="{port}") for word in text.split()]

    def _environ(self) -> dict[str, str]:
        own = {name: value.format(home=self.home) for name, value in self.variables.items()}
        # Some peers start programs by name, which must come from their own environment.
        return os.environ | VARIABLES | own | {"PATH": f"{self.home / 'bin'}{os.pathsep}{os.environ['PATH']}"}


def _with_batching(*peers: Peer) -> Iterator[Peer]:
    for peer in peers:
        yield peer
        if peer.has_batching:
            variables = {**peer.variables, "BATCHING": "1"}
            name = f"{peer.name} batching"
            yield replace(peer, name=name, forms=peer.forms[:1], variables=variables, environment=peer.name)


SERVICE = Peer(
    OURS,
    (ROOT / "requirements" / "serving.txt").read_text(),
    "{python} -m serving --port {port}",
    (jobs.raw_tensor("/api/predict"), jobs.v2_tensor(is_binary=True), jobs.v2_tensor(), jobs.raw_png("/api/predict")),
    variables={"PYTHONPATH": str(ROOT)},
)
FASTAPI = Peer(
    "FastAPI",
    "fastapi==0.165.0\nuvicorn==0.54.0\npython-multipart==0.0.34\n" + RUNTIME,
    f"{UVICORN} fastapi_app:app",
    (jobs.json_tensor("/tensor"), jobs.form_png("/upload")),
)
PEERS = (
    SERVICE,
    replace(SERVICE, name=FLOOR, command=f"{UVICORN} floor_app:app", forms=(jobs.raw_tensor("/"),), environment=OURS),
    FASTAPI,
    replace(FASTAPI, name=HAND, forms=(jobs.raw_tensor("/raw"), jobs.raw_png("/png")), environment=FASTAPI.name),
    *_with_batching(
        Peer(
            "LitServe",
            "litserve==0.2.19\n" + RUNTIME,
            "{python} {servers}/litserve_app.py {port}",
            (jobs.json_tensor("/predict"),),
            has_batching=True,
        ),
        Peer(
            "BentoML",
            "bentoml==1.4.39\n" + RUNTIME,
            "{bin}/bentoml serve bentoml_service:Digits --working-dir {servers} --port {port}",
            (jobs.json_tensor("/tensor", name=None), jobs.raw_png("/png")),
            variables={"BENTOML_DO_NOT_TRACK": "True", "BENTOML_HOME": "{home}/bentoml"},
            has_batching=True,
        ),
        Peer(
            "MLServer",
            "mlserver==1.7.1\n" + RUNTIME,
            "{python} {servers}/mlserver_app.py {port}",
            (jobs.v2_tensor(),),
            has_batching=True,
        ),
        Peer(
            "KServe",
            "kserve==0.21.0\n" + RUNTIME,
            "{python} {servers}/kserve_app.py {port}",
            (jobs.v2_tensor(is_binary=True), jobs.v2_tensor()),
        ),
        Peer(
            "MLflow",
            "mlflow==3.17.2\n" + RUNTIME,
            "{bin}/mlflow models serve --model-uri {home}/model --env-manager local --workers 1 --port {port}",
            (jobs.json_tensor("/invocations", "inputs"),),
            prepare="{python} {servers}/mlflow_model.py {home}/model",
            variables={
                "PYTHONPATH": str(SERVERS),
                "MLFLOW_DISABLE_TELEMETRY": "true",
                "UVICORN_ACCESS_LOG": "false",
            },
        ),
        Peer(
            "Ray Serve",
            "ray[serve]==2.60.0\n" + RUNTIME,
            "{python} {servers}/ray_app.py {port}",
            (jobs.raw_tensor("/tensor"), jobs.raw_png("/png")),
            variables={
                "PYTHONPATH": str(SERVERS),
                "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
                "RAY_USAGE_STATS_ENABLED": "0",
            },
            has_batching=True,
        ),
    ),
)
