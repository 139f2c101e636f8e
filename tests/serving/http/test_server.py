"""The start checks uvicorn."""

import pytest
import uvicorn
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving.errors import StartError
from serving.http.connection import Connection
from serving.http.reader import Flow, Reader
from serving.http.refuser import Refuser
from serving.http.server import OVERRIDDEN, UVICORN, Server, check_uvicorn
from serving.version import PROJECT


def test_every_overridden_method_is_checked() -> None:
    for base, classes in (
        (uvicorn.Server, [Server]),
        (HttpToolsProtocol, [Reader, Refuser, Connection]),
        (FlowControl, [Flow]),
    ):
        names = {name for own in classes for name in vars(own) if not name.startswith("__")}
        assert {name for name in names if hasattr(base, name)} == set(OVERRIDDEN[base].split())


@pytest.mark.parametrize(("base", "name"), [(HttpToolsProtocol, "_start_asgi_task"), (uvicorn.Server, "on_tick")])
def test_a_uvicorn_without_a_method_stops_the_start(monkeypatch: pytest.MonkeyPatch, base: type, name: str) -> None:
    check_uvicorn()
    monkeypatch.delattr(base, name)
    with pytest.raises(StartError, match=rf"uvicorn {uvicorn.__version__} .*{base.__name__}\.{name}.*{UVICORN}"):
        check_uvicorn()


def test_the_remedy_names_the_versions_of_pyproject_toml() -> None:
    assert f'"{UVICORN}"' in PROJECT.read_text()
