"""The notifier process: Telegram over the journal. It may die without delaying any trade."""

import asyncio
import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version

from app.config import Config
from app.errors import ConfigError, DependencyError
from app.steward import ChatSteward
from app.wiring import open_journal, wall_ms
from notify.options import HOUR_MS, Options, Role
from notify.service import serve

HOW_TO_START = (
    "telegram.token: expected the token of a bot, found none: ask @BotFather for one and set it by "
    "LOCKSTEP_TELEGRAM__TOKEN in the environment or by telegram.token_file (docs/telegram.md)"
)


async def run_notifier(config: Config, stop: asyncio.Event, ready: Callable[[], None]) -> None:
    """Send and listen until `stop`. ConfigError where it is not told how."""
    options = notifier_options(config)
    with _alone(config):
        journal = await asyncio.to_thread(open_journal, config)
        try:
            steward = ChatSteward(config, journal)
            serving = asyncio.create_task(serve(journal, steward, options, wall_ms, ready))
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
            for task in (serving, stopping):
                task.cancel()
            results = await asyncio.gather(serving, stopping, return_exceptions=True)
            failed = [one for one in results if isinstance(one, Exception)]
            if failed:
                raise failed[0]
        finally:
            journal.close()


def notifier_options(config: Config) -> Options:
    """What the notifier is told; ConfigError names what is missing."""
    section = config.telegram
    if section.token is None:
        raise ConfigError(HOW_TO_START)
    return Options(
        token=section.token.get_secret_value(),
        base_url=section.base_url,
        chats=section.chats,
        users={user.id: Role(user.role) for user in section.users},
        mode=config.mode,
        version=version("lockstep"),
        answer_seconds=section.answer_seconds,
        heartbeat_ms=section.heartbeat_hours * HOUR_MS,
        daily_hour=section.daily_hour,
    )


@contextmanager
def _alone(config: Config) -> Iterator[None]:
    """Within the block this is the only notifier of the data directory: two would send everything
    twice. The lock goes with the process, however it ends."""
    config.data_dir.mkdir(parents=True, exist_ok=True)
    path = config.data_dir / "notifier.lock"
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DependencyError(f"another notifier runs on {config.data_dir}") from None
        yield
