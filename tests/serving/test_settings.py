"""Flags take precedence over the environment, and both over the defaults; bad values are rejected."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

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


# Each setting: a text for it, and the value that it means.
TEXTS: dict[str, tuple[str, object]] = {
    "host": ("0.0.0.0", "0.0.0.0"),
    "port": ("9000", 9000),
    "model": ("/tmp/a.onnx", Path("/tmp/a.onnx")),
    "web": ("/tmp/web", Path("/tmp/web")),
    "max_body_bytes": ("1000", 1000),
    "max_pixels": ("2000", 2000),
    "workers": ("4", 4),
    "allowed_hosts": (" Digits.example, ,b.example", ("digits.example", "b.example")),
    "cors_origins": ("https://a.example,http://b.example:80", ("https://a.example", "http://b.example:80")),
    "management_token": ("A secret", "A secret"),
    "local_management": ("yes", True),
    "max_wait_s": ("0.5", 0.5),
    "max_connections": ("17", 17),
    "head_timeout_s": ("1.5", 1.5),
    "body_timeout_s": ("2", 2.0),
    "idle_timeout_s": ("1e2", 100.0),
    "drain_s": ("0", 0.0),
    "watch": ("yes", True),
    "collect": ("/tmp/drawings", Path("/tmp/drawings")),
    "public_key": ("/tmp/public.pem", Path("/tmp/public.pem")),
    "shadow": ("/tmp/b.onnx", Path("/tmp/b.onnx")),
    "log_requests": ("on", True),
}
EXPECTED = Settings(**{name: value for name, (_, value) in TEXTS.items()})  # type: ignore[arg-type]


def test_the_environment_sets_every_setting() -> None:
    assert list(TEXTS) == [field.name for field in fields(Settings)]
    assert all(getattr(EXPECTED, name) != getattr(Settings(), name) for name in TEXTS)
    environ = {f"INKLING_{name.upper()}": text for name, (text, _) in TEXTS.items()}
    settings = Settings.load([], environ | {"INKLING_MIRROR": "for the pipeline"})
    assert settings == EXPECTED
    assert [type(getattr(settings, name)) for name in TEXTS] == [type(getattr(EXPECTED, name)) for name in TEXTS]


def test_a_flag_sets_every_setting() -> None:
    arguments = [part for name, (text, _) in TEXTS.items() for part in ("--" + name.replace("_", "-"), text)]
    assert Settings.load(arguments, {}) == EXPECTED


def test_an_empty_variable_means_none_if_that_is_the_default() -> None:
    names = [field.name for field in fields(Settings) if field.default in (None, "", ())]
    assert {"shadow", "management_token"} <= set(names)
    assert Settings.load([], {f"INKLING_{name.upper()}": "" for name in names}) == Settings()


@pytest.mark.parametrize(
    ("arguments", "environ", "changes"),
    [
        (["--watch", "TRUE"], {"INKLING_LOG_REQUESTS": "1"}, {"watch": True, "log_requests": True}),
        (["--watch=no"], {"INKLING_WATCH": "yes"}, {}),
        (["--watch", "--log-requests", "--port", "1"], {}, {"watch": True, "log_requests": True, "port": 1}),
        (["--cors-origins", "*"], {}, {"cors_origins": ("*",)}),
        ([], {"INKLING_CORS_ORIGINS": "HTTPS://A.example"}, {"cors_origins": ("https://a.example",)}),
        (["--cors-origins", "http://[::1]:80"], {}, {"cors_origins": ("http://[::1]:80",)}),
        (["--port", "1"], {"INKLING_PORT": "2", "INKLING_HOST": "::1"}, {"port": 1, "host": "::1"}),
        (
            ["--max-pixels", "2e6", "--model", "~/a.onnx"],
            {},
            {"max_pixels": 2_000_000, "model": Path.home() / "a.onnx"},
        ),
    ],
)
def test_flags_and_variables(arguments: list[str], environ: dict[str, str], changes: dict[str, Any]) -> None:
    assert Settings.load(arguments, environ) == replace(Settings(), **changes)


@pytest.mark.parametrize(
    ("host", "is_usable"),
    [
        *((host, True) for host in ("*", "*.example.org", "the_container", "10.0.0.1")),
        *((host, False) for host in ("https://a.example", "a.example:80", "a.example.", "*a.example")),
    ],
)
def test_an_allowed_host_that_matches_nothing_warns(
    caplog: pytest.LogCaptureFixture, host: str, is_usable: bool
) -> None:
    Settings.load(["--allowed-hosts", f"b.example,{host}"], {})
    assert [record.args for record in caplog.records] == ([] if is_usable else [(host,)])


ORIGINS = ["foo", "a.example", "https://a.example/", "https://", "null", "https://a:b", "**"]


@pytest.mark.parametrize(
    ("arguments", "environ", "named"),
    [
        (["--port", "http"], {}, ["--port", "'http'"]),
        (["--port", "65536"], {}, ["--port", "65536", "65535"]),
        (["--max-pixels", "1 6"], {}, ["--max-pixels", "'1 6'", "Expected `int`: largest picture"]),
        (["--host", ""], {}, ["--host"]),
        ([], {"INKLING_PORT": ""}, ["INKLING_PORT", "''"]),
        ([], {"INKLING_MODEL": " "}, ["INKLING_MODEL"]),
        (["--workers", "0"], {}, ["--workers", "'0'", "`int` >= 1"]),
        (["--idle-timeout-s", "nan"], {}, ["--idle-timeout-s", "nan"]),
        (["--management-token", ""], {}, ["--management-token"]),
        (["--watch", "maybe"], {}, ["--watch", "'maybe'", "yes or no"]),
        *(
            (
                [],
                {"INKLING_CORS_ORIGINS": f"https://b.example, {origin}"},
                ["INKLING_CORS_ORIGINS", "https://example.org"],
            )
            for origin in ORIGINS
        ),
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
