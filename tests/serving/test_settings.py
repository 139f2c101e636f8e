"""Flags over environment over defaults, and what is refused."""

from pathlib import Path

import pytest

from serving.errors import SettingsError
from serving.settings import ROOT, Settings


def test_defaults_do_not_depend_on_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings.load([], {})
    assert settings == Settings()
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.model == ROOT / "models" / "digits.onnx"
    assert settings.model.is_absolute()
    assert settings.web.is_absolute()


def test_environment_sets_every_setting() -> None:
    environ = {
        "INKLING_HOST": "0.0.0.0",
        "INKLING_PORT": "9000",
        "INKLING_MODEL": "/tmp/a.onnx",
        "INKLING_WEB": "/tmp/web",
        "INKLING_MAX_BODY_BYTES": "1000",
        "INKLING_MAX_PIXELS": "2000",
        "INKLING_MIRROR": "for the pipeline",
    }
    expected = Settings("0.0.0.0", 9000, Path("/tmp/a.onnx"), Path("/tmp/web"), 1000, 2000)
    assert Settings.load([], environ) == expected


def test_a_flag_wins_over_the_environment() -> None:
    settings = Settings.load(["--port", "1", "--max-body-bytes=5"], {"INKLING_PORT": "2", "INKLING_HOST": "::1"})
    assert (settings.port, settings.max_body_bytes, settings.host) == (1, 5, "::1")


@pytest.mark.parametrize(
    ("arguments", "environ", "named"),
    [
        (["--port", "http"], {}, ["--port", "'http'"]),
        (["--port", "65536"], {}, ["--port", "65536", "65535"]),
        (["--port", "-1"], {}, ["--port", "-1"]),
        (["--max-pixels", "1e6"], {}, ["--max-pixels", "'1e6'"]),
        (["--host", ""], {}, ["--host"]),
        ([], {"INKLING_PORT": ""}, ["INKLING_PORT", "''"]),
        ([], {"INKLING_MAX_BODY_BYTES": "0"}, ["INKLING_MAX_BODY_BYTES", "0"]),
        ([], {"INKLING_MODEL": " "}, ["INKLING_MODEL"]),
    ],
)
def test_a_bad_value_is_refused_by_name(arguments: list[str], environ: dict[str, str], named: list[str]) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.load(arguments, environ)
    assert all(text in str(caught.value) for text in named)


@pytest.mark.parametrize("arguments", [["--prot", "1"], ["--max-pix", "1"], ["extra"]])
def test_an_unknown_flag_ends_the_program_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        Settings.load(arguments, {})
    assert caught.value.code == 2
    assert arguments[0] in capsys.readouterr().err


def test_help_names_flags_variables_and_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        Settings.load(["--help"], {})
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert all(word in text for word in ("--max-body-bytes", "INKLING_MAX_BODY_BYTES", "16777216", "INKLING_MODEL"))
