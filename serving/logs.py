"""The service's log: one JSON object a line, on standard error."""

import json
import logging
import time


class JSONFormatter(logging.Formatter):
    """A record as a line of JSON; what is in `extra={"facts": {...}}` becomes fields of their own."""

    def format(self, record: logging.LogRecord) -> str:
        """The line. JSON escapes line ends and control characters, so that no request can forge one."""
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line = {
            "time": f"{seconds}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "process": record.process,
        }
        line |= getattr(record, "facts", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def set_up() -> None:
    """Sends every logger's warnings, and what the service says of itself, to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(JSONFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("serving").setLevel(logging.INFO)
    logging.getLogger("uvicorn.error").setLevel(
        logging.ERROR
    )  # its warnings are of what a client sent: a metric counts
