"""The command `python -m serving`, also installed as `inkling-serve`."""

import os
import signal
import socket
import sys

from serving import logs
from serving.errors import SettingsError, StartError


def main() -> int:
    """Serve until SIGTERM or SIGINT. Return the exit code: 0, 1 if the service cannot start, 2 for a bad setting."""
    if sys.platform == "win32":
        sys.exit("Inkling's service runs on Linux and macOS, not on Windows. Start it in WSL or in a container.")
    # SIGHUP would end the process during the slow import, so it is blocked until the server is ready.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
    try:
        from serving import workers
        from serving.settings import PROGRAM, Settings
    except ModuleNotFoundError as error:
        sys.exit(f"The package {error.name} is missing. Start .venv/bin/python -m serving, or install: pip install .")

    logs.set_up()
    try:
        settings = Settings.load(sys.argv[1:], os.environ)
        listener = _listen(settings.host, settings.port)
        host = f"[{settings.host}]" if listener.family == socket.AF_INET6 else settings.host
        workers.serve(settings, listener, f"http://{host}:{listener.getsockname()[1]}")
    except StartError as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return 2 if isinstance(error, SettingsError) else 1
    return 0


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        # "::" listens on all addresses, of IPv4 too. Without dual-stack sockets, the announcement would be wrong.
        dualstack = family == socket.AF_INET6 and socket.has_dualstack_ipv6()
        return socket.create_server(address, family=family, backlog=2048, dualstack_ipv6=dualstack)
    except OSError as error:
        text = f"Cannot listen on {host} port {port}: {error.strerror}. Choose another with --host or --port."
        raise StartError(text) from None


if __name__ == "__main__":
    sys.exit(main())
