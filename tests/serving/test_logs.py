"""Every log record is one line of JSON."""

import json
import logging
import re
import subprocess
import sys
from typing import Any

from serving.logs import JSONFormatter
from serving.settings import ROOT


def line(message: str, *arguments: object, **more: Any) -> str:
    record = logging.LogRecord("serving.test", logging.WARNING, __file__, 1, message, arguments, None)
    record.__dict__.update(more)
    return JSONFormatter().format(record)


def test_a_record() -> None:
    try:
        raise ValueError("broken")
    except ValueError:
        failed = line("It failed.", exc_info=sys.exc_info())
    assert "\n" not in failed
    assert json.loads(failed)["traceback"].endswith("ValueError: broken")
    fields = json.loads(line("The model is now %s.", "abc", facts={"status": 200, "path": "/"}))
    assert set(fields) == {"time", "level", "event", "process", "status", "path"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", fields["time"])
    assert (fields["level"], fields["event"]) == ("warning", "The model is now abc.")
    assert (fields["status"], fields["path"]) == (200, "/")


def test_the_records_on_standard_error() -> None:
    program = """
import logging
from serving import logs
logs.set_up()
logging.getLogger("serving.any").info("ours")
logging.getLogger("serving.any").debug("too much")
logging.getLogger("uvicorn.error").info("not ours")
logging.getLogger("uvicorn.error").error("theirs")
"""
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout == ""
    lines = [json.loads(text) for text in result.stderr.splitlines()]
    assert [(fields["level"], fields["event"]) for fields in lines] == [("info", "ours"), ("error", "theirs")]
