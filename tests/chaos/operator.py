"""What a person does to a running system, through the API or beside it."""

import asyncio
import time

import httpx

from store.audit import Act
from store.journal import Journal
from tests.chaos.cases import Case, Kind, Wrong
from tests.chaos.stack import Stack, now_ms
from tests.oracle.world import Answered

ASK_S = 20.0
AGAIN_S = 0.3


class Operator:
    """A person at the dashboard; `journal` saves settings where no API is asked."""

    def __init__(self, stack: Stack, journal: Journal) -> None:
        self._stack = stack
        self._journal = journal

    async def save(self, **changes: object) -> int:
        """Save settings; the new version."""
        saved = await self._journal.settings.load()
        act = Act("chaos", "chaos", now_ms())
        after = await self._journal.settings.update(dict(changes), saved.version, act)  # type: ignore[arg-type]
        return after.version

    async def disable(self) -> None:
        """Pause by the dashboard; when that was told is kept for the judge."""
        asked = now_ms()
        answer = await self._ask("PUT", "/api/v1/executor/enabled", {"value": False})
        answer.raise_for_status()
        self._stack.stops.append(Answered("disable", asked, now_ms()))

    async def enable(self) -> None:
        """Resume where the kill file stood in for the journal, and enable."""
        if (await self._journal.run_state()).halted or self._stack.kill_file.exists():
            await self._ask("POST", "/api/v1/executor/resume", {"confirm": "RESUME"})
        await self.save(enabled=True)

    async def die_saving(self, case: Case) -> bool:
        """The API dies, or stands still, while settings are saved or entries are disabled; the
        person asks again. Nothing is ever half saved."""
        before = (await self._journal.settings.load()).version
        body: dict[str, object] = {"value": False}
        method, path = "PUT", "/api/v1/executor/enabled"
        if case.kind is Kind.SETTINGS:
            method, path, body = "PATCH", "/api/v1/settings", {"max_bet": "19"}
        hit = await self._struck(case, method, path, body, {"If-Match": f'"{before}"'})
        after = (await self._journal.settings.load()).version
        expected = before + 1 if case.part == "saved" or case.stop else before
        if hit and after != expected:
            raise Wrong(f"expected settings version {expected} after {case.name}, found {after}")
        if case.kind is Kind.SETTINGS:
            await self.save(max_bet="20")
        else:
            await self.disable()
            await self.enable()
        return hit

    async def die_closing(self, case: Case, arb_id: str) -> bool:
        """The API dies while it has a position closed; the person asks again, by the same key."""
        path = f"/api/v1/positions/{arb_id}/close"
        key = {"Idempotency-Key": f"close-{arb_id}"}
        hit = await self._struck(case, "POST", path, {}, key)
        answer = await self._ask("POST", path, {}, key)
        # What the first request had started may be over.
        if answer.status_code not in (202, 409):
            raise Wrong(f"{arb_id}: asked again to close, found {answer.status_code}")
        return hit

    async def _struck(
        self, case: Case, method: str, path: str, body: dict[str, object], headers: dict[str, str]
    ) -> bool:
        stack = self._stack
        stack.arm(f"{case.point}/{case.part}:1" + (":stop" if case.stop else ""))
        asking = asyncio.create_task(self._once(method, path, body, headers))
        hit = await stack.fired(ASK_S)
        if hit and case.stop:
            await stack.stopped(1_500, signalled=True, child=stack.api)
        elif hit:
            await stack.back(stack.api)
        await asyncio.gather(asking, return_exceptions=True)
        return hit

    async def _once(
        self, method: str, path: str, body: dict[str, object], headers: dict[str, str]
    ) -> httpx.Response:
        async with httpx.AsyncClient(base_url=self._stack.url, timeout=ASK_S) as http:
            return await http.request(method, path, json=body, headers=headers)

    async def _ask(
        self, method: str, path: str, body: dict[str, object], headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """Ask until the API has an answer that is not about its own start."""
        deadline = time.monotonic() + ASK_S
        while True:
            answer = await self._once(method, path, body, headers or {})
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                return answer
            if time.monotonic() > deadline:
                return answer
            await asyncio.sleep(AGAIN_S)
