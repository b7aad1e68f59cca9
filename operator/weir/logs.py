"""How operator and server log: one line an event, its facts as fields."""

import json
import logging
import sys
from datetime import UTC, datetime

# What every record has; whatever else is on one was given as `extra`.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# Kopf attaches these for its own poster of Events.
_IGNORED = frozenset({"settings", "k8s_skip", "k8s_ref"})


def configure(level: str, style: str) -> None:
    """Log to standard error, as `json` or `plain` text."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if style == "json" else PlainFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # These tell of every event, request or migration; ours tell what came of it.
    for chatty in ("kopf.objects", "uvicorn", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def facts(record: logging.LogRecord) -> dict[str, object]:
    """Return what was given as `extra`."""
    return {
        name: value
        for name, value in vars(record).items()
        if name not in _STANDARD and name not in _IGNORED
    }


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        } | facts(record)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class PlainFormatter(logging.Formatter):
    """Text for people, facts at its end."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as a line of text, or several with an exception."""
        time = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S.%f")[:-3]
        pairs = "".join(f" {name}={value}" for name, value in facts(record).items())
        text = f"{time} {record.levelname:<7} {record.getMessage()}{pairs}"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text
