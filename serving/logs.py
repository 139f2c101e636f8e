"""The service's log: one JSON object per line, on standard error."""

import json
import logging
import time


class JSONFormatter(logging.Formatter):
    """Format a record as a line of JSON. The items of `extra={"facts": {...}}` become fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line. JSON escapes line ends, so a request cannot forge a line."""
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
    """Log the warnings of all loggers and the messages of the service to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(JSONFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("serving").setLevel(logging.INFO)
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # its warnings concern client input, which metrics count
