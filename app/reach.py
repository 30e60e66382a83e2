"""Whether Temporal answers this executor: asked every second, and alarmed where it does not.

An embedded server has its keeper, who tells of it (`app.keeper`).
"""

import asyncio
import os
import time
from datetime import timedelta

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from app.keeper import EMBEDDED, KEY
from app.links import wall_ms
from store.alarms import Alarm
from store.journal import Journal
from store.states import Severity

ASK_SECONDS = 1.0
ANSWER_SECONDS = 2.0
ALARM_SECONDS = 5.0
REFUSALS = frozenset(
    {
        RPCStatusCode.UNIMPLEMENTED,
        RPCStatusCode.NOT_FOUND,
        RPCStatusCode.PERMISSION_DENIED,
        RPCStatusCode.UNAUTHENTICATED,
        RPCStatusCode.RESOURCE_EXHAUSTED,
    }
)
"""Whoever does not take this question answers all the same."""


class Reach:
    """By this machine's steady clock, from the first question that was not answered on: a process
    that stood still itself has asked nothing meanwhile."""

    def __init__(self, client: Client) -> None:
        """The client has just connected."""
        self._client = client
        self._since = time.monotonic()
        self._silent_since: float | None = None
        self._embedded = bool(os.environ.get(EMBEDDED))
        self._told: bool | None = None

    @property
    def answers(self) -> bool:
        """Whether the last question was answered."""
        return self._silent_since is None

    @property
    def silent_s(self) -> float:
        """For how long nothing was answered; 0 where the last question was."""
        return 0.0 if self._silent_since is None else time.monotonic() - self._silent_since

    @property
    def answered_ms(self) -> int:
        """For how long everything was answered; 0 where the last question was not."""
        return 0 if self._silent_since is not None else _ms_since(self._since)

    async def run(self) -> None:
        """For as long as the executor runs."""
        while True:
            answered, now = await self._answered(), time.monotonic()
            if not answered:
                self._silent_since = now if self._silent_since is None else self._silent_since
            elif self._silent_since is not None:
                self._silent_since, self._since = None, now
            await asyncio.sleep(ASK_SECONDS)

    async def tell(self, journal: Journal) -> None:
        """The sender's: the alarm, once it is silent and once that is over. Whoever sends closes
        what the last one opened."""
        silent = self.silent_s > ALARM_SECONDS
        too_early = not silent and not self.answers
        if self._embedded or self._told is silent or too_early:
            return
        if silent:
            address = self._client.service_client.config.target_host
            said = f"the Temporal server at {address} does not answer the executor that sends"
            await journal.raise_alarm(Alarm(KEY, "TEMPORAL_DOWN", Severity.RED, said), wall_ms())
        else:
            await journal.close_alarm(KEY, "Temporal answers the executor that sends", wall_ms())
        self._told = silent

    def told_by_others(self) -> None:
        """Another executor sends now, and tells."""
        self._told = None

    async def _answered(self) -> bool:
        wait = timedelta(seconds=ANSWER_SECONDS)
        try:
            return await self._client.service_client.check_health(timeout=wait)
        except RPCError as refused:
            return refused.status in REFUSALS


def _ms_since(at: float) -> int:
    return int((time.monotonic() - at) * 1_000)
