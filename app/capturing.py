"""Whether an executor writes down the order books that it reads, and where."""

import logging
import os
from datetime import UTC, datetime

from app.config import Config
from app.fitness import MEGABYTE
from markets.capture import Recorder

log = logging.getLogger(__name__)


def open_recorder(config: Config) -> Recorder | None:
    """A new file in the configured folder; None where none is configured. One that cannot be
    written stops no executor: the log says so."""
    folder = config.capture.folder
    if folder is None:
        return None
    path = folder / f"books-{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}.jsonl"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return Recorder(path, config.capture.mb_max * MEGABYTE)
    except OSError as trouble:
        log.error("no order book is written down: %s: %s", path, trouble)
        return None
