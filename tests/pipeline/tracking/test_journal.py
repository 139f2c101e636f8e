import signal
import subprocess
import sys
import time

import pytest

from pipeline.tracking.journal import Journal, content, is_waiting, replay


class Store:
    """Remembers what it was told; asleep, it takes its time and then fails."""

    def __init__(self, seconds=0.0):
        self.seconds, self.told = seconds, []

    def send(self, run_id, event):
        time.sleep(self.seconds)
        if self.seconds:
            raise TimeoutError
        self.told.append((run_id, event["kind"]))
        return "id"


def test_events_are_sent_in_their_order_and_then_the_file_goes(tmp_path):
    store = Store()
    journal = Journal(tmp_path / "journals", "store", store.send, patience_s=10)
    journal.append("start")
    journal.append("end", status="FINISHED")
    journal.close()
    assert store.told == [("", "start"), ("id", "end")]
    assert list(tmp_path.rglob("*.jsonl")) == []


def test_a_store_is_waited_for_so_long_in_all(tmp_path):
    store = Store(seconds=0.05)
    calls = []
    journal = Journal(
        tmp_path / "a.jsonl", "store", lambda *event: (calls.append(event), store.send(*event)), patience_s=0.12
    )
    for _ in range(20):
        journal.append("metrics")
    journal.close()
    assert 1 <= len(calls) <= 3


def test_a_store_that_wakes_up_is_told_everything(tmp_path):
    store = Store(seconds=0.01)
    journal = Journal(tmp_path, "store", store.send, patience_s=10)
    journal.append("start")
    store.seconds = 0
    journal.append("end", status="FINISHED")
    journal.close()
    assert [kind for _, kind in store.told] == ["start", "end"]


def test_a_file_is_sent_as_it_was_when_it_was_recorded(tmp_path, caplog):
    store, sent = Store(seconds=0.01), []
    file = tmp_path / "weights.h5"
    file.write_text("first")
    journal = Journal(tmp_path / "journals", "store", store.send, patience_s=10)
    journal.append_file("file", file, folder="network")
    file.write_text("second")
    journal.append_file("file", file, folder="network")
    journal.append("end", status="FINISHED")
    journal.close()
    file.unlink()

    def send(run_id, event):
        if event["kind"] == "file":
            sent.append((content(event).name, content(event).read_text()))
        return store.send(run_id, event)

    store.seconds = 0
    assert replay(tmp_path, send, patience_s=10) == (1, 0)
    assert sent == [("weights.h5", "first"), ("weights.h5", "second")]
    assert list((tmp_path / "journals").iterdir()) == []
    gone = {"path": str(file), "kept": str(file), "sha256": "0"}
    assert content(gone) is None
    assert "is not what it was" in caplog.text


def test_after_a_failure_the_rest_of_a_store_s_journals_wait(tmp_path):
    for name in ("first", "other"):
        for _ in range(2):
            journal = Journal(tmp_path / "journals", name, None, patience_s=0)
            journal.append("end", status="FINISHED")
            journal.close()
    told = []

    def send(run_id, event):
        told.append(event["store"])
        if told == ["first"]:
            raise OSError("for a moment")
        return "id"

    assert replay(tmp_path, send, patience_s=10) == (2, 2)
    assert told == ["first", "other", "other"]
    assert is_waiting(tmp_path / "journals", '"first"', "FINISHED")
    assert not is_waiting(tmp_path / "journals", '"other"')


def test_a_store_that_takes_its_time_to_fail_costs_no_other(tmp_path):
    for number, name in enumerate(("dead", "dead", "good")):
        journal = Journal(tmp_path / str(number), name, None, patience_s=0)
        journal.append("end", status="FINISHED")
        journal.close()

    def send(run_id, event):
        if event["store"] == "dead":
            time.sleep(0.1)
            raise TimeoutError
        return "id"

    assert replay(tmp_path, send, patience_s=0.05) == (1, 2)


def test_what_is_no_journal_or_empty_stops_no_other(tmp_path, caplog):
    (tmp_path / "a.jsonl").write_text("{}}\n")
    (tmp_path / "b.jsonl").touch()
    journal = Journal(tmp_path / "c", "store", None, patience_s=0)
    journal.append("end", status="FINISHED")
    journal.close()
    store = Store()
    assert replay(tmp_path, store.send, patience_s=10) == (2, 1)
    assert store.told == [("", "end")]
    assert "a.jsonl is not sent" in caplog.text


def test_a_living_process_keeps_its_journal_and_a_killed_one_is_ended(tmp_path):
    code = (
        "import pathlib, sys; from pipeline.tracking.journal import Journal\n"
        "journal = Journal(pathlib.Path(sys.argv[1]), 'store', None, 0)\n"
        "journal.append('start'); journal._file.write('{\"kind\": \"cut'); journal._file.flush()\n"
        "print(flush=True); input()"
    )
    store, statuses = Store(), []
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "journals")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        writer.stdout.readline()
        assert replay(tmp_path, store.send, patience_s=10) == (0, 0)
        writer.kill()

    def send(run_id, event):
        statuses.append(event.get("status"))
        return store.send(run_id, event)

    assert replay(tmp_path, send, patience_s=10) == (1, 0)
    assert replay(tmp_path, send, patience_s=10) == (0, 0)
    assert store.told == [("", "start"), ("id", "end")]
    assert statuses == [None, "KILLED"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("error", [None, TimeoutError])
def test_a_signal_waits_for_the_store(tmp_path, number, error):
    told = []

    def send(run_id, event):
        signal.raise_signal(number)
        told.append(event["kind"])
        if error:
            raise error
        return "id"

    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    journal = Journal(tmp_path, "store", send, patience_s=10)
    try:
        with pytest.raises(KeyboardInterrupt):
            journal.append("start")
    finally:
        signal.signal(signal.SIGTERM, before)
        journal.close()
    assert told == ["start"]
    assert journal.is_sent == (error is None)


def test_a_second_signal_does_not_wait(tmp_path):
    def send(run_id, event):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        told.append(event["kind"])

    told = []
    journal = Journal(tmp_path, "store", send, patience_s=10)
    with pytest.raises(KeyboardInterrupt):
        journal.append("start")
    journal.close()
    assert told == []
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
