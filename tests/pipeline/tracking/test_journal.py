import signal
import subprocess
import sys
import time

import pytest

from pipeline.tracking.journal import Journal, content, is_waiting, replay


class Store:
    def __init__(self, seconds=0.0):
        self.seconds, self.events = seconds, []

    def send(self, run_id, event):
        time.sleep(self.seconds)
        if self.seconds:
            raise TimeoutError
        self.events.append((run_id, event["kind"]))
        return "id"


def write_journal(directory, store="store"):
    journal = Journal(directory, store, None, patience_s=0)
    journal.append("end", status="FINISHED")
    journal.close()


def test_a_store_that_fails_once_gets_every_event_and_then_the_journal_is_deleted(tmp_path):
    store = Store(seconds=0.01)
    journal = Journal(tmp_path / "journals", "store", store.send, patience_s=10)
    journal.append("start")
    store.seconds = 0
    journal.append("end", status="FINISHED")
    journal.close()
    assert store.events == [("", "start"), ("id", "end")]
    assert list(tmp_path.rglob("*.jsonl")) == []


def test_a_store_that_used_up_the_patience_is_not_called_again(tmp_path):
    store = Store(seconds=0.05)
    journal = Journal(tmp_path, "store", store.send, patience_s=0.01)
    journal.append("start")
    store.seconds = 0
    journal.append("metrics")
    journal.close()
    assert store.events == []


def test_a_file_is_sent_as_it_was_when_it_was_recorded(tmp_path, caplog):
    file, sent = tmp_path / "weights.h5", []
    journal = Journal(tmp_path / "journals", "store", None, patience_s=0)
    for text in ("first", "second"):
        file.write_text(text)
        journal.append_file("file", file, folder="network")
    journal.append("end", status="FINISHED")
    journal.close()
    file.unlink()

    def send(run_id, event):
        if event["kind"] == "file":
            sent.append((content(event).name, content(event).read_text()))
        return "id"

    assert replay(tmp_path, send, patience_s=10) == (1, 0)
    assert sent == [("weights.h5", "first"), ("weights.h5", "second")]
    assert list((tmp_path / "journals").iterdir()) == []
    assert content({"path": str(file), "kept": str(file), "sha256": "0"}) is None
    assert "was changed or deleted" in caplog.text


def test_after_a_failure_the_other_journals_of_a_directory_and_store_are_skipped(tmp_path):
    for name in ("first", "other"):
        for _ in range(2):
            write_journal(tmp_path / "journals", name)
    stores = []

    def send(run_id, event):
        stores.append(event["store"])
        if stores == ["first"]:
            raise OSError("for a moment")
        return "id"

    assert replay(tmp_path, send, patience_s=10) == (2, 2)
    assert stores == ["first", "other", "other"]
    assert is_waiting(tmp_path / "journals", '"first"', "FINISHED")
    assert not is_waiting(tmp_path / "journals", '"other"')


def test_a_store_that_fails_slowly_does_not_delay_another(tmp_path):
    for number, name in enumerate(("dead", "dead", "good")):
        write_journal(tmp_path / str(number), name)

    def send(run_id, event):
        if event["store"] == "dead":
            time.sleep(0.1)
            raise TimeoutError
        return "id"

    assert replay(tmp_path, send, patience_s=0.05) == (1, 2)


def test_damaged_and_empty_journals_do_not_stop_a_replay(tmp_path, caplog):
    (tmp_path / "a.jsonl").write_text("{}}\n")
    (tmp_path / "b.jsonl").touch()
    write_journal(tmp_path / "c")
    store = Store()
    assert replay(tmp_path, store.send, patience_s=10) == (2, 1)
    assert store.events == [("", "end")]
    assert "a.jsonl is not sent" in caplog.text


def test_only_the_run_of_a_killed_process_is_ended(tmp_path):
    code = (
        "import pathlib, sys; from pipeline.tracking.journal import Journal\n"
        "journal = Journal(pathlib.Path(sys.argv[1]), 'store', None, 0)\n"
        "journal.append('start'); journal._file.write('{\"kind\": \"cut'); journal._file.flush()\n"
        "print(flush=True); input()"
    )
    statuses = []
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "journals")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        writer.stdout.readline()
        assert replay(tmp_path, None, patience_s=10) == (0, 0)
        writer.kill()

    def send(run_id, event):
        statuses.append((event["kind"], event.get("status")))
        return "id"

    assert replay(tmp_path, send, patience_s=10) == (1, 0)
    assert replay(tmp_path, send, patience_s=10) == (0, 0)
    assert statuses == [("start", None), ("end", "KILLED")]


@pytest.mark.parametrize(("number", "error"), [(signal.SIGINT, TimeoutError), (signal.SIGTERM, None)])
def test_a_signal_is_delayed_until_the_store_answers(tmp_path, number, error):
    kinds = []

    def send(run_id, event):
        signal.raise_signal(number)
        kinds.append(event["kind"])
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
    assert kinds == ["start"]
    assert (not journal.unsent) == (error is None)


def test_a_second_signal_is_not_delayed(tmp_path):
    def send(run_id, event):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        kinds.append(event["kind"])

    kinds = []
    journal = Journal(tmp_path, "store", send, patience_s=10)
    with pytest.raises(KeyboardInterrupt):
        journal.append("start")
    journal.close()
    assert kinds == []
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
