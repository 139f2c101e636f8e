import contextlib
import hashlib
import io
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from pipeline import download
from pipeline.base.errors import DownloadError
from pipeline.config.values import load_config
from pipeline.sources import mirrors, pendigits
from pipeline.sources.unipen import unpack

CONTENT = bytes(range(256)) * 2000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Mirror(BaseHTTPRequestHandler):
    def do_GET(self):
        behaviour = self.server.behaviour
        self.server.asked.append(self.path)
        if behaviour == "hang":
            time.sleep(3)
            return
        content = CONTENT[::-1] if behaviour == "wrong bytes" else CONTENT
        self.send_response(404 if behaviour == "missing" else 200)
        if behaviour != "endless":
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            for _ in range({"endless": 1000, "trickle": 100}.get(behaviour, 0)):
                self.wfile.write(content if behaviour == "endless" else b"1")
                time.sleep(0.1 if behaviour == "trickle" else 0)
            self.wfile.write(content[: len(content) // 2 if behaviour == "break off" else None])

    def log_message(self, *_):
        pass


@pytest.fixture
def mirror(monkeypatch, tmp_path):
    """Return a function that starts a mirror, and returns its address and the paths requested from it."""
    servers = []

    def start(behaviour):
        server = ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
        server.behaviour, server.asked = behaviour, []
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}", server.asked

    monkeypatch.setattr(mirrors, "TIMEOUT_SECONDS", (0.5, 0.5))
    monkeypatch.setattr(mirrors, "SLOWEST_BYTES_PER_SECOND", 10 * len(CONTENT))
    monkeypatch.setattr(mirrors, "PUBLIC_MIRRORS", ())
    monkeypatch.delenv("INKLING_MIRROR", raising=False)
    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def fetch(mirror, monkeypatch, tmp_path):
    """Return a function that fetches CONTENT from the given addresses into the returned file."""

    def fetch_from(*addresses):
        monkeypatch.setattr(mirrors, "PUBLIC_MIRRORS", addresses)
        target = tmp_path / "raw" / "file.gz"
        mirrors.fetch("mnist/file.gz", len(CONTENT), SHA256, target)
        return target

    return fetch_from


def test_the_own_mirror_is_tried_first(mirror, fetch, monkeypatch, tmp_path):
    (own, asked), (public, not_asked) = mirror("good"), mirror("good")
    monkeypatch.setenv("INKLING_MIRROR", own)
    assert fetch(public).read_bytes() == CONTENT
    assert (len(asked), len(not_asked)) == (1, 0)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / "raw" / "file.gz"]


REASONS = {"hang": "no response in time", "missing": "HTTP 404", "wrong bytes": "wrong", "break off": "interrupted",
           "trickle": "too slow"}  # fmt: skip


@pytest.mark.parametrize("behaviour", REASONS)
def test_after_a_faulty_mirror_the_next_is_tried_and_the_error_lists_all(behaviour, mirror, fetch, tmp_path):
    address, _ = mirror(behaviour)
    with pytest.raises(DownloadError) as failure:
        fetch(address, "http://127.0.0.1:1")
    tried = (f"{address}: ", REASONS[behaviour], "http://127.0.0.1:1: no connection")
    for part in (*tried, "INKLING_MIRROR", "make demo", "embedded"):
        assert part in str(failure.value)
    assert not (tmp_path / "raw").exists()
    assert fetch(address, mirror("good")[0]).read_bytes() == CONTENT


def test_no_more_is_read_than_the_size_of_the_file(mirror, fetch):
    assert fetch(mirror("endless")[0]).read_bytes() == CONTENT


@pytest.mark.parametrize("behaviour", ["good", "missing"])
@pytest.mark.parametrize("password", ["secret", "p@secret"])
def test_credentials_of_the_own_mirror_are_not_shown(behaviour, password, mirror, fetch, monkeypatch, caplog):
    own = mirror(behaviour)[0].removeprefix("http://")
    monkeypatch.setenv("INKLING_MIRROR", f"http://user:{password}@{own}")
    failure = contextlib.nullcontext() if behaviour == "good" else pytest.raises(DownloadError)
    with caplog.at_level("INFO"), failure as error:
        fetch()
    assert f"http://{own}" in caplog.text
    assert "secret" not in caplog.text + str(error)


def test_embedded_data_needs_no_mirror(mirror, monkeypatch, tmp_path):
    monkeypatch.setattr(download, "RAW", tmp_path)
    download.download(load_config(["data.source=embedded"]))
    with np.load(tmp_path / "embedded.npz") as stored:
        assert stored["images"].shape == (5000, 28, 28)
        assert np.bincount(stored["labels"]).tolist() == [500] * 10


def compress(text):
    """Return a short text as compress(1) writes it: a header, then a nine-bit code for each byte."""
    assert len(text) < 255  # longer texts need wider codes
    bits = sum(byte << (9 * place) for place, byte in enumerate(text))
    return b"\x1f\x9d\x90" + bits.to_bytes(-(-9 * len(text) // 8), "little")


PEN = b'.SEGMENT DIGIT 0 ? "1"\n.COMMENT 1 3 0\n.PEN_DOWN\n 100 400\n 100 100\n.PEN_UP\n'


@pytest.fixture
def own_mirror(mirror, monkeypatch, tmp_path):
    """A directory with Pendigits, one digit in each part, which the public archive has too."""
    names = {"train": "pendigits-orig.tra", "test": "pendigits-orig.tes"}
    own, public, archive = tmp_path / "own", tmp_path / "public", io.BytesIO()
    (own / "pendigits").mkdir(parents=True)
    with zipfile.ZipFile(archive, "w") as members:
        for name in names.values():
            members.writestr(f"{name}.Z", compress(PEN))
            (own / "pendigits" / name).write_bytes(PEN)
    public.mkdir()
    (public / pendigits.PENDIGITS_ZIP).write_bytes(archive.getvalue())
    sha256 = hashlib.sha256(PEN).hexdigest()
    monkeypatch.setattr(pendigits, "PENDIGITS", {part: (name, len(PEN), sha256) for part, name in names.items()})
    monkeypatch.setattr(pendigits, "PENDIGITS_ZIP_SHA256", hashlib.sha256(archive.getvalue()).hexdigest())
    monkeypatch.setattr(pendigits, "PENDIGITS_ZIP_SIZE", len(archive.getvalue()))
    monkeypatch.setattr(pendigits, "PENDIGITS_ARCHIVE", str(public))
    monkeypatch.setattr(download, "RAW", tmp_path / "raw")
    monkeypatch.setattr(download, "MNIST", {})
    return own


@pytest.mark.parametrize("source", ["own mirror", "public archive", "own mirror with other bytes"])
def test_pen_strokes_are_the_same_from_every_source(source, own_mirror, monkeypatch, tmp_path):
    if source != "public archive":
        monkeypatch.setenv("INKLING_MIRROR", str(own_mirror))
    if source == "own mirror with other bytes":
        (own_mirror / "pendigits" / "pendigits-orig.tes").write_bytes(PEN + b"\n")
    download.download(load_config())
    for part in ("train", "test"):
        with np.load(tmp_path / "raw" / f"pendigits-{part}.npz") as stored:
            (drawing,) = unpack(stored)
        assert (drawing.label, drawing.writer) == (1, 3)
        assert drawing.strokes[0].tolist() == [[100, 100], [100, 400]]


def test_no_source_of_pen_strokes_is_an_error_unless_they_are_left_out(own_mirror, monkeypatch, tmp_path):
    monkeypatch.setattr(pendigits, "PENDIGITS_ZIP_SHA256", "0" * 64)
    with pytest.raises(DownloadError, match=r"pendigits/pendigits-orig\.tra"):
        download.download(load_config())
    download.download(load_config(["data.pendigits=false"]))
    assert not (tmp_path / "raw").exists()
