"""How far a command is that takes a while: which step of how many, and how far within it."""

from collections.abc import Callable


class Steps:
    """Counts steps, each told as `2 of 3: copying`."""

    def __init__(
        self, total: int, told: Callable[[str], None], moved: Callable[[str], None]
    ) -> None:
        """`told` is given each step, `moved` what changes often within one."""
        self._total = total
        self._told = told
        self._moved = moved
        self._step = ""
        self._number = 0

    def next(self, words: str) -> None:
        """The one before is done."""
        self._number += 1
        self._step = f"{self._number} of {self._total}: {words}"
        self._told(self._step)

    def within(self, done: int, total: int) -> None:
        """So much of the step is done."""
        self._moved(f"{self._step}, {done} of {total}")
