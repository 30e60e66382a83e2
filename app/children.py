"""Child processes of `lockstep run`: started, heard, restarted when they die, ended in order."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from app.errors import ConfigError, DependencyError, ExitCode

READY_SECONDS = 60
STOP_SECONDS = 20
ENDING_SECONDS = 5
RESTART_SECONDS = (0.1, 0.5, 1.0, 2.0, 5.0)
ReadyLine = dict[str, object]


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """One process: its name, the arguments of this interpreter, and what the environment adds."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    restart: bool = True


class Child:
    """A process that says on its first line of stdout, in JSON, that it is ready.

    What it says later goes to its log file. It is started again when it ends unasked.
    """

    def __init__(self, spec: ChildSpec, logs: Path) -> None:
        self.spec = spec
        self.restarts = 0
        self.ready: ReadyLine = {}
        self._log_path = logs / f"{spec.name}.log"
        self._process: asyncio.subprocess.Process | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def start(self) -> ReadyLine:
        """Start it, also after `stop`, and wait for its ready line; DependencyError with its last
        words otherwise, ConfigError where it ended with that code."""
        self._stopping = False
        self.ready = await self._spawn()
        if self.spec.restart:
            self._watcher = asyncio.create_task(self._watch())
        return self.ready

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL where it does not end in time."""
        self._stopping = True
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _spawn(self) -> ReadyLine:
        self._log_path.parent.mkdir(parents=True, exist_ok=True)
        with self._log_path.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *self.spec.arguments,
                env={**os.environ, **self.spec.environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        assert self._process.stdout is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), READY_SECONDS)
            ready = json.loads(line)
        except (TimeoutError, json.JSONDecodeError):
            code = await self._end_unready()
            trouble = ConfigError if code == ExitCode.CONFIGURATION else DependencyError
            raise trouble(
                f"{self.spec.name}: expected it to be ready within {READY_SECONDS} s, found: "
                f"{self._last_words()} (log: {self._log_path})"
            ) from None
        assert isinstance(ready, dict), f"{self.spec.name} said {line!r}"
        return ready

    async def _end_unready(self) -> int:
        """Its code; a process that has said nothing and closed its mouth is about to end."""
        assert self._process is not None
        try:
            return await asyncio.wait_for(self._process.wait(), ENDING_SECONDS)
        except TimeoutError:
            self._process.kill()
            return await self._process.wait()

    async def _watch(self) -> None:
        """Start the process again whenever it ends, with a growing pause."""
        while not self._stopping:
            assert self._process is not None
            code = await self._process.wait()
            self._say(f"{self.spec.name} ended unasked (code {code}) and is started again\n")
            pause = RESTART_SECONDS[min(self.restarts, len(RESTART_SECONDS) - 1)]
            self.restarts += 1
            await asyncio.sleep(pause)
            try:
                self.ready = await self._spawn()
            except (
                ConfigError,
                DependencyError,
                OSError,
            ) as error:  # a machine without memory forks nothing
                self._say(f"{self.spec.name} did not come back: {error}\n")

    def _say(self, words: str) -> None:
        with self._log_path.open("a", encoding="utf-8") as log:
            log.write(words)

    def _last_words(self) -> str:
        text = self._log_path.read_text(encoding="utf-8", errors="replace").strip()
        return text.splitlines()[-1] if text else "nothing said"


def say_ready(line: ReadyLine, stream: IO[str] = sys.stdout) -> None:
    """Tell the parent, in one line of JSON, that everything answers."""
    stream.write(json.dumps(line) + "\n")
    stream.flush()
