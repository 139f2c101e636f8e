"""The settings: each is a flag and an `INKLING_` environment variable. The flag takes precedence."""

import argparse
import logging
import re
import sys
from collections.abc import Mapping, Sequence
from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import msgspec
from msgspec import Meta

from serving.errors import SettingsError

log = logging.getLogger(__name__)

PACKAGE = Path(__file__).resolve().parent
# The folder of models/ and web/: the repository, or the installed package.
ROOT = PACKAGE if (PACKAGE / "models").is_dir() else PACKAGE.parent
PROGRAM = "inkling-serve" if Path(sys.argv[0]).stem == "inkling-serve" else "python -m serving"
ENV_PREFIX = "INKLING_"
NONE = (None, "", ())

# A name as the Host header has it, without a port, or any name of a domain.
HOST = re.compile(r"\*|(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*")

# An origin as browsers write it: lower case, without a path.
Origin = Annotated[str, Meta(pattern=r"^(\*|[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?)$")]


def _is(description: str, low: float | None = None, high: float | None = None) -> Meta:
    return Meta(description=description, ge=low, le=high)


@dataclass(frozen=True)
class Settings:
    """The settings of a service. The defaults do not depend on the working directory."""

    host: Annotated[str, _is("address to listen on")] = "127.0.0.1"
    port: Annotated[int, _is("port to listen on, 0 for any free one", 0, 65_535)] = 8000
    model: Annotated[Path, _is("model file")] = ROOT / "models" / "digits.onnx"
    web: Annotated[Path, _is("folder of the page")] = ROOT / "web"
    # A phone photo takes 3 to 12 MB as JPEG.
    max_body_bytes: Annotated[int, _is("largest request body in bytes", 1, 2**30)] = 16 * 2**20
    # The largest common phone camera has 50 megapixels, which is 200 MB as RGBA. The WebP decoder keeps four copies.
    max_pixels: Annotated[int, _is("largest picture, width x height", 1, 2**30)] = 50_000_000
    workers: Annotated[int, _is("worker processes; each uses one core under load", 1, 256)] = 1
    allowed_hosts: Annotated[tuple[str, ...], _is("further names to accept, such as *.example.org; * for any")] = ()
    cors_origins: Annotated[tuple[Origin, ...], _is("origins to allow, such as https://example.org:80; * for any")] = ()
    management_token: Annotated[str, _is("token for managing models over HTTP, as Authorization: Bearer <token>")] = ""
    local_management: Annotated[bool, _is("let local programs manage models; not behind a proxy")] = False
    max_wait_s: Annotated[float, _is("longest expected wait in seconds; beyond it, requests get 503", 0, 60)] = 0.25
    max_connections: Annotated[int, _is("open connections, in each worker", 1, 2**20)] = 1000
    head_timeout_s: Annotated[float, _is("seconds for a request's line and headers", 0.1, 3600)] = 10.0
    body_timeout_s: Annotated[float, _is("seconds that a body may pause; it also needs 8 kB/s", 0.1, 3600)] = 10.0
    idle_timeout_s: Annotated[float, _is("seconds that a connection may be idle", 0.1, 3600)] = 30.0
    drain_s: Annotated[float, _is("seconds after SIGTERM in which connections are still accepted", 0, 3600)] = 1.0
    watch: Annotated[bool, _is("reload the model file when it changes")] = False
    collect: Annotated[Path | None, _is("folder for the drawings that visitors correct, for training")] = None
    public_key: Annotated[Path | None, _is("public key in PEM that model files must be signed with")] = None
    shadow: Annotated[Path | None, _is("a second model file, compared on the same images")] = None
    log_requests: Annotated[bool, _is("log one line per request")] = False

    @classmethod
    def load(cls, arguments: Sequence[str], environ: Mapping[str, str]) -> "Settings":
        """Read the settings from the command line, the environment and the defaults, in this order.

        Raises:
            SettingsError: a value is invalid; the message names the flag or variable, and the value.
        """
        flags = vars(_parser().parse_args(arguments))
        values: dict[str, Any] = {}
        for name, kind in TYPES.items():
            default, source, text = getattr(cls, name), _flag(name), flags[name]
            if text is None:
                source = ENV_PREFIX + name.upper()
                text = environ.get(source)
                if text is None or (not text and default in NONE):  # an empty variable means none
                    continue
            try:
                values[name] = _convert(text, kind, default)
            except ValueError as error:
                reason = str(error).removesuffix(", got `str`")
                raise SettingsError(f"{source} is {text!r}. {reason}: {_description(kind)}") from None
        for host in values.get("allowed_hosts", ()):
            if not HOST.fullmatch(host):
                log.warning("The allowed host %r matches no request; write a name, without scheme, port or path.", host)
        return cls(**values)


TYPES = get_type_hints(Settings, include_extras=True)


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _description(kind: Any) -> str:
    text: str = kind.__metadata__[0].description
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM, description="Serves the digits model and the drawing page.", allow_abbrev=False
    )
    for name, kind in TYPES.items():
        default = getattr(Settings, name)
        shown = "none" if default in NONE else "no" if default is False else default
        text = f"{_description(kind)} (default {shown}; {ENV_PREFIX}{name.upper()})"
        # --watch means --watch yes
        options: dict[str, Any] = {"nargs": "?", "const": "yes"} if default is False else {}
        parser.add_argument(_flag(name), help=text, **options)
    return parser


def _convert(text: str, kind: Any, default: object) -> object:
    """Convert a text to the type of a setting, or raise `ValueError`."""
    value: object = text
    if default is False:
        value = ConfigParser.BOOLEAN_STATES.get(text.lower())
        if value is None:
            raise ValueError("Expected yes or no")
    elif isinstance(default, tuple):
        value = [part.strip().lower() for part in text.split(",") if part.strip()]
    elif not text.strip():
        raise ValueError("Expected a value")
    return msgspec.convert(value, kind, strict=False, dec_hook=lambda _, path: Path(path).expanduser())
