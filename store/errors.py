"""What can go wrong with the journal, one name per way out."""


class JournalConflict(Exception):
    """Two records of the same fact contradict each other: never repaired, always shown."""


class JournalBusy(Exception):
    """Another process held the write lock for longer than the busy time-out. Ask again."""


class JournalFailing(JournalBusy):
    """The disk under the journal is full or fails, or its server is only to be read for now:
    nothing of the transaction is kept."""


class Overtaken(JournalBusy):
    """The database undid a transaction for another one's sake; it may simply run again."""


class StoppedByFile(Exception):
    """Entries are stopped by the kill file, since the journal cannot be written now."""


class ClosesByItself(Exception):
    """A person's word was to close an alarm that closes on what journal and venues show."""


class NotJournaled(Exception):
    """Something was reported about an arbitrage or an order that the journal does not know."""


class StillOpen(Exception):
    """An arbitrage was to be concluded while one of its orders has no definite answer, or flat
    while it holds anything."""


class DatabaseDamaged(Exception):
    """The file is not a sound database; the message says how to restore it."""


class ForeignDatabase(Exception):
    """The file is a database, but not one of ours."""


class JournalMoved(ForeignDatabase):
    """The file is a journal of ours that goes on elsewhere; `to` says where."""

    def __init__(self, to: str) -> None:
        super().__init__(f"this journal was moved to {to}: set database.url to go on with it there")
        self.to = to


class CannotMove(Exception):
    """A journal that must not be moved now, or not to there; nothing was changed."""


class CannotRestore(Exception):
    """A backup that must not be put in the journal's place now, or at all; nothing was changed."""


class UnfitDatabase(Exception):
    """A database server that a journal cannot be trusted to; the message says what to change."""


class SchemaTooNew(Exception):
    """The database was written by a newer version of this program."""


class SchemaTooOld(Exception):
    """The database was written by an older version, and whoever only looks upgrades nothing."""


class InvalidSettings(Exception):
    """A setting that cannot be. `field` names it, `message` says what was expected and found."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field} {message}")
        self.field = field
        self.message = message


class SettingsConflict(Exception):
    """Somebody else saved first: `expected` and `found` are settings versions."""

    def __init__(self, expected: int, found: int) -> None:
        super().__init__(f"expected settings version {expected}, found {found}: read it again")
        self.expected = expected
        self.found = found
