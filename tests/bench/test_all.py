import re
import subprocess

import pytest

import bench
from bench import BENCHES, begin, code_of, code_places, command, identity, read, state
from bench import all as everything
from tests.project import ROOT

CODE = '''"""A module."""
import os  # why


def width(x: int) -> str:
    """Return it."""
    return f"# {x}"


def section(results):
    return "words"
'''


def test_words_are_no_code():
    assert code_of(CODE) == 'import os\ndef width(x: int) -> str:\n    return f"# {x}"'
    assert code_of(CODE.replace("words", "others").replace("# why", "").replace("Return it", "Width")) == code_of(CODE)
    assert code_of(CODE.replace("{x}", "{x + 1}")) != code_of(CODE)


@pytest.mark.parametrize("name", BENCHES)
def test_the_code_and_the_section_of_every_benchmark_exist(name):
    assert [place for place in code_places(name) if not place.exists()] == []
    assert command(name).startswith(f"python -m bench.{name}")


@pytest.fixture
def results(monkeypatch, tmp_path):
    """Write results elsewhere, as `python -m bench.latency` does."""
    monkeypatch.setattr(bench, "RESULTS", tmp_path)
    monkeypatch.setattr("sys.argv", ["bench"])
    return tmp_path


def test_a_result_is_current_until_the_model_the_code_or_the_arguments_change(results, monkeypatch):
    assert state("latency", read("latency")) == "missing"
    begin("latency")({"figure": 1})
    found = read("latency")
    assert found["figure"] == 1
    assert found["origin"].keys() >= {
        "model_sha256",
        "params_sha256",
        "code_sha256",
        "cpu",
        "python",
        "date",
        "seconds",
    }
    assert state("latency", found) == "current"
    for key, what in (("model_sha256", "model"), ("params_sha256", "model"), ("code_sha256", "code")):
        assert state("latency", {"origin": found["origin"] | {key: "x"}}) == f"other {what}"
        rest = {name: value for name, value in found["origin"].items() if name != key}
        assert state("latency", {"origin": rest}) == f"unknown {what}"
    assert (
        state("latency", {"origin": found["origin"] | {"command": "python -m bench.latency --runs 1"}})
        == "other arguments"
    )
    assert identity("seeds").keys() == {"params_sha256", "weights_md5"}


@pytest.fixture
def ran(results, monkeypatch):
    """Record the benchmarks that run; `int8` fails, and the others leave results."""
    names = []

    def run(words, **_):
        name = words[2].removeprefix("bench.")
        names.append(name)
        if name not in ("int8", "report"):
            monkeypatch.setattr("sys.argv", ["bench", *words[3:]])
            begin(name)({})
        return subprocess.CompletedProcess(words, int(name == "int8"))

    monkeypatch.setattr(everything.subprocess, "run", run)
    return names


def test_all_run_but_the_current_ones_and_a_failure_stops_none(ran, capsys):
    with pytest.raises(SystemExit, match=r"error: int8$"):
        everything.main([])
    assert ran == [*BENCHES, "report"]
    del ran[:]
    with pytest.raises(SystemExit, match=r"error: int8$"):
        everything.main([])
    assert ran == ["int8", "report"]
    del ran[:]
    everything.main(["seeds", "latency"])
    assert ran == ["latency", "seeds", "report"]
    assert re.search(
        r"== \d\d:\d\d python -m bench.seeds --seeds 1 2 3 4 \(2 of 2, left 0 min\)", capsys.readouterr().out
    )
    everything.main(["--list"])
    assert "| int8 | `python -m bench.int8` | 0 min and 1 of unknown time | missing |" in capsys.readouterr().out


def test_a_release_has_no_old_figures():
    """While the changelog has unreleased changes, the documents may have old figures, and mark them."""
    if "\n## [Unreleased]\n" in (ROOT / "CHANGELOG.md").read_text():
        pytest.skip("not released")
    assert {name: found for name in BENCHES if (found := state(name, read(name))) != "current"} == {}
