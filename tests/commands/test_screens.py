"""`top` and `scan` on a terminal: a live view that follows the system and gives the screen back."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.commands.test_watching import HEEDING
from tests.support.stack import LOCKSTEP, StackUnderTest

pytestmark = [pytest.mark.slow, pytest.mark.temporal, pytest.mark.timeout(400)]

ROWS, COLUMNS = 300, 200
SECONDS = 60
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
TAKES_SCREEN, GIVES_BACK = "\x1b[?1049h", "\x1b[?1049l"


class Screen:
    """A command on a terminal of its own, and all that it has drawn."""

    def __init__(self, child: subprocess.Popen[bytes], terminal: int) -> None:
        self.child = child
        self._terminal = terminal
        self.drawn = ""

    def until(self, found: Callable[[str], Any], what: str) -> Any:
        """Read on until something is found in what was drawn, without colours and moves."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            if told := found(CONTROL.sub("", self.drawn)):
                return told
            self._read(1)
        lines = [line.strip() for line in CONTROL.sub("", self.drawn).splitlines()]
        raise AssertionError(f"expected {what}, found {[one for one in lines if one][-40:]}")

    def interrupt(self) -> int:
        """Ctrl-C; the exit code, once everything was read."""
        self.child.send_signal(signal.SIGINT)
        deadline = time.monotonic() + SECONDS
        while self.child.poll() is None and time.monotonic() < deadline:
            self._read(0.2)
        while self._read(0.2):
            pass
        return self.child.wait(1)

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._terminal], [], [], seconds)
        if not ready:
            return False
        try:
            more = os.read(self._terminal, 65_536)
        except OSError:  # Linux says so of a terminal that its program has closed.
            return False
        self.drawn += more.decode(errors="replace")
        return bool(more)


@contextmanager
def screen(folder: Path, *arguments: str) -> Iterator[Screen]:
    """The installed command on a terminal that is large enough for everything."""
    terminal, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    child = subprocess.Popen(
        [sys.executable, "-c", HEEDING, LOCKSTEP, *arguments],
        cwd=folder,
        env={
            "LOCKSTEP_DATA_DIR": str(folder), "PATH": "/usr/bin:/bin",
            "TERM": "xterm-256color", "LANG": "C.UTF-8",
        },
        stdin=inner,
        stdout=inner,
        stderr=inner,
        start_new_session=True,
    )  # fmt: skip
    os.close(inner)
    try:
        yield Screen(child, terminal)
    finally:
        child.kill()
        child.wait()
        os.close(terminal)


def test_top_follows_the_system_until_ctrl_c(stack: StackUnderTest, held: dict[str, Any]) -> None:
    with screen(stack.folder, "top") as shown:
        shown.until(lambda text: held["id"] in text, "the held pair")
        moments = re.compile(r"(\S+Z)  \d+ executors")
        shown.until(lambda text: len(set(moments.findall(text))) >= 2, "a second look")
        assert "SIM  RUNNING since" in CONTROL.sub("", shown.drawn)
        assert shown.interrupt() == 130
        assert shown.drawn.index(TAKES_SCREEN) < shown.drawn.rindex(GIVES_BACK)


def test_scan_follows_the_books_until_ctrl_c(stack: StackUnderTest) -> None:
    pair = stack.pair()

    def offers(price: str) -> Callable[[str], Any]:
        return re.compile(rf"^{pair} .* {price}\b", re.MULTILINE).search

    stack.edge(pair, -2)
    with screen(stack.folder, "scan", "--why") as shown:
        shown.until(offers("0.52"), f"{pair} at 0.52")
        stack.edge(pair, -4)
        shown.until(offers("0.48"), f"{pair} at 0.48, where the other direction is cheaper")
        assert "last hour: seen" in CONTROL.sub("", shown.drawn)
        assert shown.interrupt() == 130
        assert shown.drawn.index(TAKES_SCREEN) < shown.drawn.rindex(GIVES_BACK)
