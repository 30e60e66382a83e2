"""What a chat may have done, by the way that pages use: workflow updates, settings, the run state.

Stopping needs only the journal, so that it works while Temporal is away.
"""

import hashlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal

from sqlmodel import Session

from api import sales
from api.auth import Caller
from api.known import Known
from api.live import Live
from api.problems import Problem
from api.steering import FLATTENS, Steering
from api.wire import Json
from app.config import Config
from app.errors import LockstepError
from app.wiring import connect, wall_ms
from domain.money import show_cost, show_usd
from domain.venue import Mode
from notify.ports import Preview, Refusal
from store import arbitrages, presence, reconciliation, run_state
from store.audit import Act
from store.errors import NotJournaled, SettingsConflict, StoppedByFile
from store.journal import Journal
from store.kill_file import KillFile
from store.run_state import RunState
from store.states import Scope

SAVES = 3


@dataclass(frozen=True, slots=True)
class Entries:
    """What decides whether entries leave."""

    state: RunState
    open: int
    executors: int
    restored: str | None

    @property
    def version(self) -> str:
        """Changes with every switch, halt and saved setting."""
        return f"{self.state.epoch}.{self.state.settings_version}.{self.state.halted}"


class ChatSteward:
    """Implements `notify.ports.Steward`."""

    def __init__(self, config: Config, journal: Journal) -> None:
        self._config = config
        self._journal = journal
        self._kill_file = KillFile(config.data_dir)

    async def kill(self, reason: str, act: Act) -> str:
        """Halt; where the journal takes its time, also by the file that every order looks for."""
        try:
            await self._kill_file.stop_surely(self._journal.halt(reason, act), reason)
        except StoppedByFile as stopped:
            return f"Halted by its file, since the journal is busy: {stopped}"
        now = await self._entries()
        return (
            f"Halted: {reason}. No new entry leaves; running trades finish and unhedged legs are "
            f"sold back. {now.open} open positions stay open"
        )

    async def pause(self, act: Act) -> str:
        """Switch entries off."""
        try:
            await self._kill_file.stop_surely(self._switch(False, act), f"paused by {act.actor}")
        except StoppedByFile as stopped:
            return (
                f"Halted by {self._kill_file.path}, since the journal is busy: {stopped.__cause__}"
            )
        now = await self._entries()
        return f"Paused: no new entry leaves. Running trades finish, {now.open} stay open"

    async def preview_resume(self) -> Preview:
        """What would be true after it."""
        now = await self._may_resume()
        saved = (await self._journal.settings.load()).settings
        each = f"{show_usd(saved.min_bet)} to {show_usd(saved.max_bet)} each"
        loss = f"daily loss up to {show_usd(saved.max_daily_loss)}"
        lines = [
            f"Now: halted ({now.state.reason})" if now.state.halted else "Now: paused",
            "Then: new entries may leave"
            if now.state.enabled or not now.state.halted
            else "Then: still paused; /resume once more switches entries on",
            f"{each}, at most {saved.max_daily_trades} a day, {loss}",
            f"{now.open} open, {now.executors} executors report",
        ]
        return Preview(tuple(lines), now.version)

    async def resume(self, version: str, act: Act) -> str:
        """One step up: out of the halt, or from paused to running."""
        now = await self._may_resume()
        if now.version != version:
            raise Refusal("The run state has changed meanwhile: look at it and ask again")
        if now.state.halted:
            await self._journal.resume(act)
            rest = "entries may leave" if now.state.enabled else "entries are paused as before"
            return f"Resumed: {rest}"
        await self._switch(True, act)
        return "Enabled: entries may leave"

    async def preview_close(self, arb_id: str) -> Preview:
        """By the bids seen last."""
        async with self._arm() as (live, _):
            known = await live.known(arb_id, ask=True)
        if known.phase.ended:
            raise Refusal(f"{arb_id} is {known.phase}: there is nothing to close")
        told = sales.close_preview(known)
        if told["why_not"]:
            raise Refusal(told["why_not"])
        bound = told["loss_max"]
        loss_max = None if bound is None else Decimal(bound)
        return Preview(_close_lines(known, told), str(known.state.revision), loss_max)

    async def close(self, arb_id: str, loss_max: Decimal | None, version: str, act: Act) -> str:
        """Refused where the arbitrage has moved since the preview."""
        state = await self._journal.arbitrage(arb_id)
        if str(state.revision) != version:
            raise Refusal("The position has changed meanwhile: ask again for current numbers")
        async with self._arm() as (_, steering):
            bound = None if loss_max is None else str(loss_max)
            await steering.close(arb_id, bound, _caller(act), act.at_ms)
        return f"Closing {arb_id}: its message tells how it goes"

    async def preview_flatten(self) -> Preview:
        """What selling everything now would bring, where the bids seen last can say it."""
        open_now = await self._open()
        if not open_now:
            raise Refusal("Nothing is open: there is nothing to sell")
        async with self._arm() as (_, steering):
            try:
                told = await steering.flatten_preview()
            except Problem as problem:
                numbers = [f"What it brings cannot be said: {problem.detail}"]
            else:
                numbers = [
                    f"Sell all now: {_sign(told['result'])}, cash back ${told['proceeds']}",
                    f"Hold all: at least {_sign(told['hold_at_least'])}",
                ]
        lines = (f"{len(open_now)} open positions, both legs each, at any price", *numbers)
        return Preview(lines, _digest(open_now))

    async def flatten(self, version: str, act: Act) -> str:
        """Refused where other positions are open than in the preview."""
        if _digest(await self._open()) != version:
            raise Refusal("Other positions are open than a minute ago: ask again")
        async with self._arm() as (_, steering):
            told = await steering.flatten(_caller(act), act.at_ms)
        failed = [f"{one['arb_id']}: {one['detail']}" for one in told if one["state"] == "failed"]
        rest = f"; refused: {'; '.join(failed)}" if failed else ""
        return f"Selling {len(told) - len(failed)} positions{rest}"

    async def acknowledge(self, alarm_id: int, act: Act) -> str:
        """It stays open and rings no more."""
        try:
            await self._journal.acknowledge_alarm(alarm_id, act)
        except NotJournaled as missing:
            raise Refusal(str(missing)) from None
        return f"Alarm {alarm_id} is seen by {act.actor}; it stays open until it is over"

    async def _may_resume(self) -> Entries:
        now = await self._entries()
        if now.restored is not None:
            raise Refusal(f"The journal was restored ({now.restored}): `lockstep confirm-restore`")
        file = self._kill_file.reason()
        if file is not None:
            raise Refusal(f"{file}. Remove it there, or use `lockstep unkill`")
        if now.state.stopped is None:
            raise Refusal("Entries may leave already: nothing is halted or paused")
        if not now.state.halted and self._config.mode is Mode.LIVE:
            raise Refusal(
                "Real money is switched on at the dashboard or the machine, never from a chat"
            )
        if not now.executors:
            raise Refusal("No executor reports: start `lockstep run` first")
        return now

    async def _entries(self) -> Entries:
        now_ms = wall_ms()

        def read(session: Session) -> Entries:
            return Entries(
                run_state.read(session),
                len(self._mine(arbitrages.unfinished(session))),
                len(presence.reports(session, now_ms - presence.ALIVE_MS)),
                reconciliation.read(session).restored,
            )

        return await self._journal.read(read)

    async def _open(self) -> list[tuple[str, int]]:
        """What would be flattened, each with its revision."""

        def read(session: Session) -> list[tuple[str, int]]:
            ids = [
                o.arb_id for o in self._mine(arbitrages.unfinished(session)) if o.phase in FLATTENS
            ]
            return [(one, arbitrages.row_of(session, one).revision) for one in ids]

        return await self._journal.read(read)

    def _mine(self, found: Iterable[arbitrages.Unfinished]) -> list[arbitrages.Unfinished]:
        return [one for one in found if one.mode is self._config.mode]

    async def _switch(self, enabled: bool, act: Act) -> None:
        """Somebody may save meanwhile: theirs stays, and only the switch is ours."""
        for attempt in range(SAVES):
            saved = await self._journal.settings.load()
            try:
                await self._journal.settings.update({"enabled": enabled}, saved.version, act)
            except SettingsConflict:
                if attempt == SAVES - 1:
                    raise Refusal("The settings are being changed by others: try again") from None
            else:
                return

    @asynccontextmanager
    async def _arm(self) -> AsyncIterator[tuple[Live, Steering]]:
        """The commands of the API with one look at everything; their refusals become ours."""
        mode = self._config.mode
        try:
            client = await connect(self._config)
            live = Live(self._journal, client, mode, wall_ms, {})
            await live.start()
            try:
                yield live, Steering(self._journal, client, live)
            finally:
                await live.queries.stop()
        except Problem as problem:
            raise Refusal(problem.detail) from None
        except NotJournaled as missing:
            raise Refusal(str(missing)) from None
        except LockstepError as trouble:
            raise Refusal(f"Nothing was changed: {trouble}") from None


def _caller(act: Act) -> Caller:
    return Caller(act.actor, act.origin, Scope.ADMIN)


def _close_lines(known: Known, told: Json) -> tuple[str, ...]:
    """What a close brings by its preview; without a figure that it sells at any price."""
    unpriced = told["unpriced"]
    if unpriced:
        now = f"no figure. {told['unpriced_why']}"
        bound = (
            f"It sells at any price: all that it cost ({show_cost(known.outlay)}) may be lost. "
            f"`lockstep close {known.state.arb_id} --loss-max DOLLARS` bounds that"
        )
    else:
        now, bound = _sign(told["result"]), f"It may lose at most ${told['loss_max']}"
    return (
        known.state.opportunity.title,
        f"Close now: {now}",
        f"Hold: at least {_sign(told['hold_at_least'])} once the question resolves",
        *(
            f"Sell {leg['size']} {leg['outcome']} at {name} for about {leg['average_price']}: "
            f"fee ${leg['fee']}, slippage ${leg['slippage']}"
            for name, leg in told["legs"].items()
            if leg["average_price"] is not None
        ),
        *(
            f"Sell {told['legs'][name]['size']} {told['legs'][name]['outcome']} at {name} for "
            "whatever is bid"
            for name in unpriced
        ),
        bound,
    )


def _digest(open_now: list[tuple[str, int]]) -> str:
    return hashlib.sha256(repr(sorted(open_now)).encode()).hexdigest()[:16]


def _sign(amount: str) -> str:
    return f"-${amount[1:]}" if amount.startswith("-") else f"+${amount}"
