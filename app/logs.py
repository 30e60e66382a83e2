"""What our processes say: JSON lines in a file, readable lines on a terminal.

Every line says which arbitrage, leg and venue it is about (null where it is about none) and what
caused it; no line holds a secret.
"""

import logging
import os
import re
import sys
import time
from types import TracebackType

import structlog
from structlog.typing import EventDict, Processor

from app.config import Config
from app.redaction import Redactor, secrets_of

_ARB_ID = re.compile(r"\barb-[0-9A-Za-z_-]+")
_VENUE = re.compile(r"\b(polymarket|kalshi)\b", re.IGNORECASE)
_CHATTY = ("httpx", "httpcore", "telegram", "telegram.Bot", "websockets", "aiosqlite")
"""They tell addresses and bodies, tokens included."""


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """Renders, then hides what must not be read; exceptions and foreign lines included."""

    redact: Redactor = Redactor()

    def format(self, record: logging.LogRecord) -> str:
        """One line, or with a readable traceback several."""
        return self.redact(super().format(record))


def set_up_logs(process: str, config: Config) -> None:
    """From now on this process logs: JSON to where stderr goes, or, where that is a terminal,
    readable lines there and JSON to `logs/<process>.log` in the data directory."""
    redact = Redactor(secrets_of(config))
    start = f"{process}-{os.getpid()}-{time.time_ns() // 1_000_000}"
    handlers: list[logging.Handler] = [logging.StreamHandler()]
    if sys.stderr.isatty():
        handlers[0].setFormatter(_formatter(structlog.dev.ConsoleRenderer(), start, redact))
        path = config.data_dir / "logs" / f"{process}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        handlers.append(logging.FileHandler(path, encoding="utf-8"))
    handlers[-1].setFormatter(_formatter(structlog.processors.JSONRenderer(), start, redact))
    logging.basicConfig(level=config.log.level.upper(), handlers=handlers, force=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    sys.excepthook = _say_last_words


def about(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Complete the four fields: from the running task, else from the words of the line itself."""
    text = str(event.get("event", ""))
    if event.get("arb_id") is None:
        found = _ARB_ID.search(text)
        event["arb_id"] = found[0] if found else None
    if event.get("venue") is None:
        found = _VENUE.search(f"{event.get('logger', '')} {text}".replace(".", " "))
        event["venue"] = found[1].lower() if found else None
    event.setdefault("leg", None)
    return event


def _formatter(renderer: Processor, start: str, redact: Redactor) -> _Formatter:
    def caused(_logger: object, _method: str, event: EventDict) -> EventDict:
        event.setdefault("correlation_id", start)
        return event

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        about,
        caused,
    ]
    rendering: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if isinstance(renderer, structlog.processors.JSONRenderer):
        rendering.append(structlog.processors.dict_tracebacks)
    formatter = _Formatter(foreign_pre_chain=shared, processors=[*rendering, renderer])
    formatter.redact = redact
    return formatter


def _say_last_words(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """An error that ends the process goes the way of every line: a bare traceback would not."""
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("lockstep").critical("the process ends", exc_info=(kind, error, trace))
