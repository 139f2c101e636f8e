"""What can be set: each setting is a flag and an `INKLING_` environment variable; the flag wins."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

from serving.errors import SettingsError

ROOT = Path(__file__).resolve().parent.parent
ENV_PREFIX = "INKLING_"


def _about(text: str, low: int = 0, high: int = 0) -> dict[str, Any]:
    return {"help": text, "low": low, "high": high}


@dataclass(frozen=True)
class Settings:
    """The settings of one service; the defaults do not depend on the working directory."""

    host: str = field(default="127.0.0.1", metadata=_about("address to listen on"))
    port: int = field(default=8000, metadata=_about("port to listen on, 0 for any free one", 0, 65_535))
    model: Path = field(default=ROOT / "models" / "digits.onnx", metadata=_about("model file"))
    web: Path = field(default=ROOT / "web", metadata=_about("folder of the page"))
    # A photo of a phone is 3 to 12 MB as JPEG.
    max_body_bytes: int = field(default=16 * 2**20, metadata=_about("largest request body in bytes", 1, 2**30))
    # The largest common phone camera has 50 megapixels: as RGBA 200 MB, of which a WebP's decoder keeps four copies.
    max_pixels: int = field(default=50_000_000, metadata=_about("largest picture, width x height", 1, 2**30))

    @classmethod
    def load(cls, arguments: Sequence[str], environ: Mapping[str, str]) -> "Settings":
        """Settings from the command line over the environment over the defaults.

        Args:
            arguments: the command line without the program's name.
            environ: environment variables; those not in use here are ignored.

        Raises:
            SettingsError: a value cannot be used; the text names the flag or variable, and the value.
        """
        flags = vars(_parser().parse_args(arguments))
        values: dict[str, Any] = {}
        for setting in fields(cls):
            variable = ENV_PREFIX + setting.name.upper()
            if flags[setting.name] is not None:
                values[setting.name] = _convert(setting, flags[setting.name], _flag(setting))
            elif variable in environ:
                values[setting.name] = _convert(setting, environ[variable], variable)
        return cls(**values)


def _flag(setting: Field[Any]) -> str:
    return "--" + setting.name.replace("_", "-")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m serving", description="Serves the digits model and the drawing page.", allow_abbrev=False
    )
    for setting in fields(Settings):
        text = f"{setting.metadata['help']} (default {setting.default}; {ENV_PREFIX}{setting.name.upper()})"
        parser.add_argument(_flag(setting), dest=setting.name, metavar=setting.name.upper(), help=text)
    return parser


def _convert(setting: Field[Any], text: str, source: str) -> int | str | Path:
    if isinstance(setting.default, int):
        return _whole_number(text, source, setting.metadata["low"], setting.metadata["high"])
    if not text.strip():
        raise SettingsError(f"{source} is {text!r}; it is the {setting.metadata['help']}, by default {setting.default}")
    return Path(text).expanduser() if isinstance(setting.default, Path) else text


def _whole_number(text: str, source: str, low: int, high: int) -> int:
    try:
        value = int(text)
    except ValueError:
        raise SettingsError(f"{source} is {text!r}, which is not a whole number") from None
    if not low <= value <= high:
        raise SettingsError(f"{source} is {value}; it must be from {low} to {high}")
    return value
