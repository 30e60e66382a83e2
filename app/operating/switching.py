"""Whether entries may leave: pause, resume, arm, disarm. Stopping needs the journal alone."""

from app.config import Config
from app.errors import GuardError
from app.links import wall_ms
from app.operating.office import act, opened
from app.operating.outputs import Done
from domain.money import plain
from domain.venue import Mode
from store import presence
from store.errors import SettingsConflict, StoppedByFile
from store.journal import Journal
from store.kill_file import KillFile

LIVE_WORD = "LIVE"
SAVES = 5


async def pause(config: Config, action: str) -> Done:
    """Let no new entry leave; what is open stays open and unwinds go on. Answers once the last
    entry that was on its way has left. A journal that cannot be written is not waited for: the
    file KILL stands in for it."""
    async with opened(config, upgrading=True) as journal:
        saved = await journal.settings.load()
        if not saved.settings.enabled:
            return await _told(journal, action, "was paused already: no entry leaves")
        file = KillFile(config.data_dir)
        try:
            await file.stop_surely(_disable(journal), f"{action} by {act().actor}")
        except StoppedByFile as stopped:
            said = f"{stopped}. Unwinds go on; `lockstep unkill` and `lockstep resume` go on"
            return Done(action=action, done=True, said=said, run_state="HALTED")
        number = sum(one.mode is config.mode for one in await journal.unfinished())
        return await _told(
            journal,
            action,
            f"paused: no new entry leaves. {number} open positions stay open, unwinds go on. "
            "`lockstep resume` goes on",
        )


async def _disable(journal: Journal) -> None:
    for attempt in range(SAVES):
        saved = await journal.settings.load()
        try:
            await journal.settings.update({"enabled": False}, saved.version, act())
        except SettingsConflict:
            if attempt == SAVES - 1:
                raise
        else:
            return


async def what_resuming_means(config: Config) -> str:
    """The consequence in numbers, before anybody says yes. GuardError while a halt forbids it."""
    async with opened(config) as journal:
        await refuse_while_halted(journal)
        settings = (await journal.settings.load()).settings
    return (
        f"mode {config.mode}: entries may leave again, each up to ${plain(settings.max_bet)}, "
        f"at most {settings.max_daily_trades} a day, until ${plain(settings.max_daily_loss)} are "
        "lost or at risk."
    )


async def resume(config: Config, action: str, word: str | None) -> Done:
    """Let entries leave. GuardError names the guard that forbids it and what lifts it."""
    from app.operating.staff import caller, staffed

    async with staffed(config) as office:
        await refuse_while_halted(office.journal)
        await office.commands.set_enabled(True, caller(), word, wall_ms())
        return await _told(office.journal, action, "entries may leave")


async def refuse_while_halted(journal: Journal) -> None:
    """A halt is released by its own command, not by enabling entries under it."""
    state = await journal.run_state()
    if state.halted:
        raise GuardError(
            f"halted by {state.by}: {state.reason}. Find out why, then `lockstep unkill --word "
            "unkill` releases it"
        )


def refuse_to_arm(config: Config) -> None:
    """Only live money is armed."""
    if config.mode is not Mode.LIVE:
        raise GuardError(
            f"mode {config.mode} moves no real money: there is nothing to arm. `lockstep resume` "
            'lets entries leave; `mode = "live"` in the configuration comes first'
        )


async def _told(journal: Journal, action: str, said: str) -> Done:
    alive = await journal.read(lambda s: presence.reports(s, wall_ms() - presence.ALIVE_MS))
    word = (await journal.run_state()).word(alive=bool(alive))
    return Done(action=action, done=True, said=said, run_state=word)
