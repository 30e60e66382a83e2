"""What ends a command: one family of errors, each with the exit code that scripts may rely on."""

from enum import IntEnum
from pathlib import Path
from typing import ClassVar


class ExitCode(IntEnum):
    """How a `lockstep` command ends."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    CONFIGURATION = 3
    DEPENDENCY = 4
    GUARD = 5
    HUMAN = 6
    INTERRUPTED = 130


class LockstepError(Exception):
    """A failure to tell a person about: what was expected, what was found, what to do next."""

    exit_code: ClassVar[ExitCode] = ExitCode.FAILURE


class UsageError(LockstepError):
    """The command was called in a way that it does not understand."""

    exit_code = ExitCode.USAGE


class ConfigError(LockstepError):
    """Configuration or secrets are missing, malformed or readable by others."""

    exit_code = ExitCode.CONFIGURATION


class SharedFileError(ConfigError):
    """A file with secrets that others can read; `ours` says that its mode is ours to change."""

    def __init__(self, message: str, path: Path, *, ours: bool) -> None:
        super().__init__(message)
        self.path = path
        self.ours = ours


class OlderJournalError(ConfigError):
    """The journal is of an older version, which only `lockstep db upgrade` or a start changes."""


class DependencyError(LockstepError):
    """Something that we need cannot be reached or started: Temporal, the database, a port."""

    exit_code = ExitCode.DEPENDENCY


class GuardError(LockstepError):
    """A guard said no: halted, over a limit, not armed."""

    exit_code = ExitCode.GUARD


class NeedsHumanError(LockstepError):
    """Money is in a state that only a person may settle: an unhedged leg, an unknown order."""

    exit_code = ExitCode.HUMAN
