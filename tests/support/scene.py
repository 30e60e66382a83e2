"""Exchanges, a Temporal server and a journal's folder, where executors come and go."""

import json
import os
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temporalio.client import Client

from tests.support.processes import Child, python_module
from tests.support.trading import ORDER_MS, Trading, trading
from workflows.options import REST_AFTER

CACHED = 0 if "REPLAYED" in os.environ else 100
"""Workflows that an executor keeps in memory: none with `make test-replayed`."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One test's share of them: its task queue, the prefix of its ids, its folder."""

    sim: Mapping[str, Any]
    client: Client
    task_queue: str
    prefix: str
    folder: Path

    def hire(
        self, cached: int = CACHED, rest_after: int = REST_AFTER, order_ms: int = ORDER_MS
    ) -> AbstractAsyncContextManager[Trading]:
        """An executor within this process."""
        return trading(
            self.sim,
            self.client,
            self.task_queue,
            self.prefix,
            self.folder,
            cached=cached,
            rest_after=rest_after,
            order_ms=order_ms,
        )

    def process(self, failpoint: str = "") -> AbstractContextManager[Child]:
        """An executor as a process of its own, which kills itself at the place that is named."""
        wanted = {
            "sim": dict(self.sim),
            "data_dir": str(self.folder),
            "address": self.client.service_client.config.target_host,
            "identity": self.client.identity,
            "task_queue": self.task_queue,
        }
        environment = {"FP": failpoint} if failpoint else None
        return python_module("tests.support.executor", json.dumps(wanted), environment=environment)
