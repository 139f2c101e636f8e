"""The command `python -m serving`."""

import logging
import os
import signal
import socket
import sys
from types import FrameType

import uvicorn

from serving.app import create_app
from serving.errors import SettingsError, StartError
from serving.settings import Settings

# How long requests that are under way may take to end after SIGTERM.
DRAIN_S = 10


class _Server(uvicorn.Server):
    """A server that says where it listens, once it does."""

    def __init__(self, config: uvicorn.Config, announcement: str) -> None:
        super().__init__(config)
        self.announcement = announcement

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(self.announcement, flush=True)


def main(arguments: list[str]) -> int:
    """Serves until SIGTERM or SIGINT; returns the exit code: 0, 1 where it cannot start, 2 for a bad setting."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    # uvicorn hands the signal on once it has stopped; unhandled, it would end the process with an error code.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    try:
        settings = Settings.load(arguments, os.environ)
        _serve(settings)
    except StartError as error:
        print(f"python -m serving: {error}", file=sys.stderr)
        return 2 if isinstance(error, SettingsError) else 1
    return 0


def _leave(_: int, __: FrameType | None) -> None:
    raise SystemExit(0)


def _serve(settings: Settings) -> None:
    app = create_app(settings)
    listener = _listen(settings.host, settings.port)
    host = f"[{settings.host}]" if listener.family == socket.AF_INET6 else settings.host
    config = uvicorn.Config(
        app,
        # uvloop and httptools where they are installed; uvloop does not exist for Windows.
        loop="auto",
        http="auto",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=DRAIN_S,
    )
    version = app.state.predictor.card.version
    address = f"http://{host}:{listener.getsockname()[1]}"
    _Server(config, f"Inkling {version} is listening on {address}").run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address, family=family, backlog=2048)
    except OSError as error:
        text = f"Cannot listen on {host} port {port}: {error.strerror}. Name another with --host or --port."
        raise StartError(text) from None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
