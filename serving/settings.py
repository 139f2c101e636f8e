"""The settings: each is a flag and an `INKLING_` environment variable. The flag takes precedence."""

import argparse
import logging
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

from serving.errors import SettingsError

log = logging.getLogger(__name__)

PACKAGE = Path(__file__).resolve().parent
# The folder of models/ and web/: the repository, or the installed package.
ROOT = PACKAGE if (PACKAGE / "models").is_dir() else PACKAGE.parent
PROGRAM = "inkling-serve" if Path(sys.argv[0]).stem == "inkling-serve" else "python -m serving"
ENV_PREFIX = "INKLING_"
TRUTH = {"yes": True, "true": True, "1": True, "on": True, "no": False, "false": False, "0": False, "off": False}
NONE = (None, "", ())

# A name as the Host header has it, without a port, or any name of a domain.
HOST = re.compile(r"\*|(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*")

# An origin as browsers write it: lower case, without a path.
ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?")


def _about(text: str, low: float = 0, high: float = 0, pattern: re.Pattern[str] | None = None) -> dict[str, Any]:
    return {"help": text, "low": low, "high": high, "pattern": pattern}


@dataclass(frozen=True)
class Settings:
    """The settings of a service. The defaults do not depend on the working directory."""

    host: str = field(default="127.0.0.1", metadata=_about("address to listen on"))
    port: int = field(default=8000, metadata=_about("port to listen on, 0 for any free one", 0, 65_535))
    model: Path = field(default=ROOT / "models" / "digits.onnx", metadata=_about("model file"))
    web: Path = field(default=ROOT / "web", metadata=_about("folder of the page"))
    # A phone photo takes 3 to 12 MB as JPEG.
    max_body_bytes: int = field(default=16 * 2**20, metadata=_about("largest request body in bytes", 1, 2**30))
    # The largest common phone camera has 50 megapixels, which is 200 MB as RGBA. The WebP decoder keeps four copies.
    max_pixels: int = field(default=50_000_000, metadata=_about("largest picture, width x height", 1, 2**30))
    workers: int = field(default=1, metadata=_about("worker processes; each uses one core under load", 1, 256))
    allowed_hosts: tuple[str, ...] = field(
        default=(),
        metadata=_about("host names to accept besides addresses and localhost, such as *.example.org; * for any"),
    )
    cors_origins: tuple[str, ...] = field(
        default=(),
        metadata=_about("origins that may send requests, such as https://example.org:8443; * for any", pattern=ORIGIN),
    )
    management_token: str = field(
        default="",
        metadata=_about("token for loading and unloading models over HTTP, sent as Authorization: Bearer <token>"),
    )
    local_management: bool = field(
        default=False,
        metadata=_about("let programs on this machine load and unload models without a token; not behind a proxy"),
    )
    max_wait_s: float = field(
        default=0.25,
        metadata=_about("longest expected wait in seconds; requests that would wait longer get 503", 0, 60),
    )
    max_connections: int = field(default=1000, metadata=_about("open connections, in each worker", 1, 2**20))
    head_timeout_s: float = field(default=10.0, metadata=_about("seconds for a request's line and headers", 0.1, 3600))
    body_timeout_s: float = field(
        default=10.0, metadata=_about("seconds that a body may pause; it also needs 8 kB per second", 0.1, 3600)
    )
    idle_timeout_s: float = field(default=30.0, metadata=_about("seconds that a connection may be idle", 0.1, 3600))
    drain_s: float = field(
        default=1.0, metadata=_about("seconds after SIGTERM in which connections are still accepted", 0, 3600)
    )
    watch: bool = field(default=False, metadata=_about("reload the model file when it changes"))
    collect: Path | None = field(
        default=None,
        metadata=_about("folder for the drawings that visitors correct, for training"),
    )
    shadow: Path | None = field(default=None, metadata=_about("a second model file, compared on the same images"))
    log_requests: bool = field(default=False, metadata=_about("log one line per request"))

    @classmethod
    def load(cls, arguments: Sequence[str], environ: Mapping[str, str]) -> "Settings":
        """Read the settings from the command line, the environment and the defaults, in this order.

        Args:
            arguments: the command line without the program's name.
            environ: environment variables; unknown ones are ignored.

        Raises:
            SettingsError: a value is invalid; the message names the flag or variable, and the value.
        """
        flags = vars(_parser().parse_args(arguments))
        values: dict[str, Any] = {}
        for setting in fields(cls):
            variable = ENV_PREFIX + setting.name.upper()
            if flags[setting.name] is not None:
                values[setting.name] = _convert(setting, flags[setting.name], _flag(setting))
            elif environ.get(variable) or (variable in environ and setting.default not in NONE):
                values[setting.name] = _convert(setting, environ[variable], variable)
        for host in values.get("allowed_hosts", ()):
            if not HOST.fullmatch(host):
                log.warning("The allowed host %r matches no request; write a name, without scheme, port or path.", host)
        return cls(**values)


def _flag(setting: Field[Any]) -> str:
    return "--" + setting.name.replace("_", "-")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM, description="Serves the digits model and the drawing page.", allow_abbrev=False
    )
    for setting in fields(Settings):
        text = f"{setting.metadata['help']} (default {_shown(setting.default)}; {ENV_PREFIX}{setting.name.upper()})"
        options: dict[str, Any] = {"dest": setting.name, "metavar": setting.name.upper(), "help": text}
        if isinstance(setting.default, bool):
            options |= {"nargs": "?", "const": "yes"}  # --watch means --watch yes
        parser.add_argument(_flag(setting), **options)
    return parser


def _shown(default: object) -> str:
    if isinstance(default, bool):
        return "yes" if default else "no"
    return str(default) if default not in NONE else "none"


def _convert(setting: Field[Any], text: str, source: str) -> object:
    """Convert a text to the type of the setting's default."""
    default = setting.default
    if isinstance(default, bool):
        return _truth(text, source)
    if isinstance(default, int | float):
        return _number(text, source, type(default), setting.metadata["low"], setting.metadata["high"])
    if isinstance(default, tuple):
        parts = tuple(part.strip().lower() for part in text.split(",") if part.strip())
        pattern = setting.metadata["pattern"]
        if pattern and not all(pattern.fullmatch(part) for part in parts):
            raise SettingsError(f"{source} is {text!r}; set it to {setting.metadata['help']}")
        return parts
    if not text.strip():
        raise SettingsError(f"{source} is {text!r}; leave it out, or set it: {setting.metadata['help']}")
    return Path(text).expanduser() if default is None or isinstance(default, Path) else text


def _truth(text: str, source: str) -> bool:
    if text.lower() not in TRUTH:
        raise SettingsError(f"{source} is {text!r}; it must be yes or no")
    return TRUTH[text.lower()]


def _number(text: str, source: str, kind: type[int] | type[float], low: float, high: float) -> float:
    try:
        value = kind(text)
    except ValueError:
        raise SettingsError(f"{source} is {text!r}, which is not a {'whole ' * (kind is int)}number") from None
    if not low <= value <= high:
        raise SettingsError(f"{source} is {value}; it must be from {low} to {high}")
    return value
