"""The command `python -m serving`, and `inkling-serve`."""

import os
import signal
import socket
import sys

if __name__ == "__main__":
    if sys.platform == "win32":
        sys.exit("Inkling's service runs on Linux and macOS, not on Windows: start it in WSL, or in a container.")
    # Until the service can act on it; what follows takes a while, and SIGHUP would end the process.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])

from serving import logs, workers
from serving.errors import SettingsError, StartError
from serving.settings import PROGRAM, Settings


def main(arguments: list[str]) -> int:
    """Serves until SIGTERM or SIGINT; returns the exit code: 0, 1 where it cannot start, 2 for a bad setting."""
    logs.set_up()
    try:
        settings = Settings.load(arguments, os.environ)
        listener = _listen(settings.host, settings.port)
        workers.serve(settings, listener, _address(settings.host, listener))
    except StartError as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return 2 if isinstance(error, SettingsError) else 1
    return 0


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address, family=family, backlog=2048)
    except OSError as error:
        text = f"Cannot listen on {host} port {port}: {error.strerror}. Name another with --host or --port."
        raise StartError(text) from None


def _address(host: str, listener: socket.socket) -> str:
    shown = f"[{host}]" if listener.family == socket.AF_INET6 else host
    return f"http://{shown}:{listener.getsockname()[1]}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
