"""A mirror of our own on loopback, well-behaved or not; nothing here leaves the machine."""

import hashlib
import io
import threading
import time
import zipfile
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from pipeline import download
from pipeline.base.errors import DownloadError
from pipeline.base.files import digest_arrays
from pipeline.config.values import load_config
from pipeline.sources import mirrors, pendigits
from pipeline.sources.unipen import pack, parse_unipen, unpack

CONTENT = bytes(range(256)) * 2000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Mirror(BaseHTTPRequestHandler):
    """Serves CONTENT in the manner of its `behaviour`, and remembers the ranges that it was asked for."""

    def __init__(self, behaviour, ranges, *arguments):
        self.behaviour, self.ranges = behaviour, ranges
        super().__init__(*arguments)

    def do_GET(self):
        self.ranges.append(self.headers.get("Range"))
        if self.behaviour == "hang":
            time.sleep(3)
            return
        if self.behaviour == "missing":
            self.send_error(404)
            return
        begin = 0
        if self.headers.get("Range") and self.behaviour != "no ranges":
            begin = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            self.send_response(206)
        else:
            self.send_response(200)
        content = CONTENT[::-1] if self.behaviour == "wrong bytes" else CONTENT
        self.send_header("Content-Length", str(len(content) - begin))
        self.end_headers()
        self.wfile.write(content[begin : len(content) // 2 if self.behaviour == "breaks off" else None])

    def log_message(self, *arguments):
        pass


@pytest.fixture
def mirror(monkeypatch, tmp_path):
    """A function that starts a mirror, and lets `download` know this one alone."""
    servers = []

    def start(behaviour):
        ranges = []
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Mirror, behaviour, ranges))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}", ranges

    monkeypatch.setattr(mirrors, "PARTIAL", tmp_path / "partial")
    monkeypatch.setattr(mirrors, "TIMEOUT_SECONDS", (0.5, 0.5))
    monkeypatch.delenv("INKLING_MIRROR", raising=False)
    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def use(monkeypatch, *addresses):
    monkeypatch.setattr(mirrors, "PUBLIC_MIRRORS", addresses)


def fetch(tmp_path):
    target = tmp_path / "raw" / "file.gz"
    mirrors.fetch("mnist/file.gz", SHA256, target)
    return target


def files_below(directory):
    return [path for path in directory.rglob("*") if path.is_file()]


def test_a_good_mirror(mirror, monkeypatch, tmp_path):
    use(monkeypatch, mirror("good")[0])
    assert fetch(tmp_path).read_bytes() == CONTENT
    assert files_below(tmp_path) == [tmp_path / "raw" / "file.gz"]


def test_own_mirror_is_asked_first(mirror, monkeypatch, tmp_path):
    own, asked = mirror("good")
    public, not_asked = mirror("good")
    use(monkeypatch, public)
    monkeypatch.setenv("INKLING_MIRROR", own)
    fetch(tmp_path)
    assert (len(asked), len(not_asked)) == (1, 0)


def test_own_mirror_may_be_a_directory(mirror, monkeypatch, tmp_path):
    (tmp_path / "mirror" / "mnist").mkdir(parents=True)
    (tmp_path / "mirror" / "mnist" / "file.gz").write_bytes(CONTENT)
    use(monkeypatch)
    monkeypatch.setenv("INKLING_MIRROR", str(tmp_path / "mirror"))
    assert fetch(tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("behaviour", ["hang", "missing", "wrong bytes", "breaks off"])
def test_after_a_bad_mirror_the_next_is_asked(behaviour, mirror, monkeypatch, tmp_path):
    use(monkeypatch, mirror(behaviour)[0], mirror("good")[0])
    assert fetch(tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("hang", "no answer in time"),
        ("missing", "HTTP 404"),
        ("wrong bytes", "wrong bytes"),
        ("breaks off", "it broke off"),
    ],
)
def test_when_no_mirror_has_it_the_error_says_what_was_tried_and_the_ways_out(
    behaviour, reason, mirror, monkeypatch, tmp_path
):
    address, _ = mirror(behaviour)
    use(monkeypatch, address, "http://127.0.0.1:1")
    with pytest.raises(DownloadError) as failure:
        fetch(tmp_path)
    message = str(failure.value)
    for part in (
        f"{address}: ",
        reason,
        "http://127.0.0.1:1: no connection",
        "INKLING_MIRROR",
        "make demo",
        "embedded",
    ):
        assert part in message
    assert not (tmp_path / "raw").exists()


def test_a_broken_download_is_resumed(mirror, monkeypatch, tmp_path):
    use(monkeypatch, mirror("breaks off")[0])
    with pytest.raises(DownloadError):
        fetch(tmp_path)
    address, ranges = mirror("good")
    use(monkeypatch, address)
    assert fetch(tmp_path).read_bytes() == CONTENT
    (asked,) = ranges
    assert 0 < int(asked.removeprefix("bytes=").removesuffix("-")) <= len(CONTENT) // 2


def test_a_mirror_without_ranges_starts_again(mirror, monkeypatch, tmp_path):
    use(monkeypatch, mirror("breaks off")[0], mirror("no ranges")[0])
    assert fetch(tmp_path).read_bytes() == CONTENT


def test_a_damaged_beginning_is_not_built_upon(mirror, monkeypatch, tmp_path):
    (tmp_path / "partial").mkdir()
    (tmp_path / "partial" / "file.gz").write_bytes(b"damaged")
    address, ranges = mirror("good")
    use(monkeypatch, address)
    assert fetch(tmp_path).read_bytes() == CONTENT
    assert ranges == ["bytes=7-", None]


def test_embedded_data_needs_no_mirror(mirror, monkeypatch, tmp_path):
    use(monkeypatch)
    monkeypatch.setattr(download, "RAW", tmp_path)
    download.download(load_config(["data.source=embedded"]))
    with np.load(tmp_path / "embedded.npz") as stored:
        assert stored["images"].shape == (5000, 28, 28)
        assert np.bincount(stored["labels"]).tolist() == [500] * 10


def compress(text):
    """As compress(1) writes short texts: a header, then a nine-bit code for each byte."""
    assert len(text) < 255  # more would need wider codes
    bits = sum(byte << (9 * place) for place, byte in enumerate(text))
    return b"\x1f\x9d\x90" + bits.to_bytes(-(-9 * len(text) // 8), "little")


PEN = b'.SEGMENT DIGIT 0 ? "1"\n.COMMENT 1 3 0\n.PEN_DOWN\n 100 400\n 100 100\n.PEN_UP\n'


@pytest.fixture
def small_pendigits(monkeypatch, tmp_path):
    """Both parts of Pendigits as a text of one digit, in an archive as the public one, and what `download` expects."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as members:
        for name in ("pendigits-orig.tra.Z", "pendigits-orig.tes.Z"):
            members.writestr(name, compress(PEN))
    values = digest_arrays(pack(parse_unipen(PEN.decode())))
    text = hashlib.sha256(PEN).hexdigest()
    expected = {part: (f"pendigits-orig.{end}", text, values) for part, end in (("train", "tra"), ("test", "tes"))}
    monkeypatch.setattr(pendigits, "PENDIGITS", expected)
    monkeypatch.setattr(pendigits, "PENDIGITS_ZIP_SHA256", hashlib.sha256(archive.getvalue()).hexdigest())
    monkeypatch.setattr(pendigits, "RAW", tmp_path / "raw")
    monkeypatch.setattr(download, "MNIST_SHA256", {})
    public = tmp_path / "public"
    public.mkdir()
    (public / pendigits.PENDIGITS_ZIP).write_bytes(archive.getvalue())
    monkeypatch.setattr(pendigits, "PENDIGITS_ARCHIVE", str(public))
    own = tmp_path / "own" / "pendigits"
    own.mkdir(parents=True)
    for name, *_ in expected.values():
        (own / name).write_bytes(PEN)
    return own.parent


@pytest.mark.parametrize("source", ["own mirror", "public archive", "own mirror with other bytes"])
def test_pen_strokes_are_the_same_from_every_source(source, mirror, small_pendigits, monkeypatch, tmp_path):
    if source != "public archive":
        monkeypatch.setenv("INKLING_MIRROR", str(small_pendigits))
    if source == "own mirror with other bytes":
        (small_pendigits / "pendigits" / "pendigits-orig.tes").write_bytes(PEN + b"\n")
    download.download(load_config())
    for part in ("train", "test"):
        with np.load(tmp_path / "raw" / f"pendigits-{part}.npz") as stored:
            (drawing,) = unpack(stored)
        assert (drawing.label, drawing.writer) == (1, 3)
        assert drawing.strokes[0].tolist() == [[100, 100], [100, 400]]


def test_pen_strokes_that_say_something_else_are_refused(mirror, small_pendigits, monkeypatch, tmp_path):
    other = {part: (name, text, "0" * 64) for part, (name, text, _) in pendigits.PENDIGITS.items()}
    monkeypatch.setattr(pendigits, "PENDIGITS", other)
    with pytest.raises(DownloadError, match="something else than the published data"):
        download.download(load_config())
    assert not (tmp_path / "raw").exists()


def test_without_pen_strokes_nobody_is_asked_for_them(mirror, small_pendigits, monkeypatch, tmp_path):
    download.download(load_config(["data.pendigits=false"]))
    assert not (tmp_path / "raw").exists()
