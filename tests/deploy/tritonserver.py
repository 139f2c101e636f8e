"""Start a real Triton on a model repository, if `INKLING_TRITONSERVER` names its binary.

The wheel nvidia-pytriton brings one that runs without a GPU. It has the Python backend alone, so `backend/model.py`
stands in for the onnxruntime backend; a Triton that has that backend uses its own.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import tritonclient.http as triton

VARIABLE = "INKLING_TRITONSERVER"
STAND_IN = Path(__file__).parent / "backend" / "model.py"
START_S = 60


@contextmanager
def serving(repository: Path, folder: Path) -> Iterator[str]:
    """Triton, as host:port, once it is ready; its log is `folder`/triton.log."""
    binary = Path(os.environ[VARIABLE])
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        str(binary), "--model-repository", str(repository), "--http-address", "127.0.0.1", "--http-port", str(port),
        "--allow-grpc", "false", "--allow-metrics", "false",
    ]  # fmt: skip
    environ = dict(os.environ)
    if not list((binary.parents[1] / "backends").glob("onnxruntime/*.so")):
        command += ["--backend-directory", str(backends(binary.parents[1], folder))]
        site = next(parent for parent in binary.parents if parent.name == "site-packages")
        environ |= {"PYTHONPATH": str(site), "LD_LIBRARY_PATH": str(site / "nvidia_pytriton.libs")}
    log = folder / "triton.log"
    with log.open("w") as output:
        process = subprocess.Popen(command, env=environ, stdout=output, stderr=subprocess.STDOUT)
    try:
        wait(process, f"127.0.0.1:{port}", log)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(START_S)


def backends(root: Path, folder: Path) -> Path:
    """Triton's Python backend, and the stand-in with a copy of it: Triton takes no links."""
    own = root / "backends" / "python"
    found = folder / "backends"
    shutil.copytree(own, found / "python")
    shutil.copytree(own, found / "onnxruntime")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    shutil.copy(root / "python_backend_stubs" / version / "triton_python_backend_stub", found / "onnxruntime")
    shutil.copy(STAND_IN, found / "onnxruntime")
    return found


def wait(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    """Returns once Triton is ready; fails with its log if it ends before."""
    end_s = time.monotonic() + START_S
    with triton.InferenceServerClient(address) as client:
        while True:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end_s, log.read_text()
            with suppress(OSError):
                if client.is_server_ready():
                    return
            time.sleep(0.2)
