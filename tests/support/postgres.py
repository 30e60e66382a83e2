"""A throwaway PostgreSQL server of this machine's own programs.

`python -m tests.support.postgres COMMAND...` runs a command beside one: its address is in
TEST_POSTGRES_URL, and everything of it is gone afterwards.
"""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.support.processes import free_port

VARIABLE = "TEST_POSTGRES_URL"
MISSING = (
    "no PostgreSQL programs found: `scripts/bootstrap --postgres`, or `apt install postgresql`"
)
START_S = 60
START_TRIES = 5
TAKEN = "Address already in use"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "400",
    "deadlock_timeout": "100ms",
}
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it


@dataclass
class Postgres:
    """A server in a folder; `url` is that of its first database, as its first role."""

    folder: Path
    user: str | None
    port: int
    url: str
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [program("postgres"), "-D", str(self.folder / "data"), "-p", str(self.port)]
        for name, value in SETTINGS.items():
            command += ["-c", f"{name}={value}"]
        command += ["-c", f"unix_socket_directories={self.folder}"]
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                user=self.user,
                cwd=self.folder,
                start_new_session=True,
            )
        until = time.monotonic() + START_S
        while True:
            try:
                psycopg.connect(self.url, connect_timeout=5).close()
            except psycopg.OperationalError:
                if self.process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError((self.folder / "log").read_text()) from None
                time.sleep(0.05)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT ends every session first; SIGKILL, to all of its processes, is what a
        power cut does."""
        process, self.process = self.process, None
        if process is not None and process.poll() is None:
            if how is signal.SIGKILL:
                os.killpg(process.pid, how)
            else:
                process.send_signal(how)
            process.wait(timeout=60)


def program(name: str) -> str:
    """The newest of the machine's; AssertionError says how to get one."""
    found = shutil.which(name)
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    chosen = found or (str(debian[-1]) if debian else None)
    assert chosen is not None, MISSING
    return chosen


@contextmanager
def throwaway(locale: str = "en") -> Iterator[Postgres]:
    """An empty server on a port of its own. It sorts by `locale`, as a server somewhere would."""
    base = MEMORY if os.access(MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    folder = Path(tempfile.mkdtemp(prefix="lockstep-postgres-", dir=base))
    try:
        password, user = secrets.token_hex(16), _nobody(folder)
        _create(folder, password, locale, user)
        server = _started(folder, user, password)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _started(folder: Path, user: str | None, password: str) -> Postgres:
    """Between the choice of a free port and its use another process may take it: then another is
    chosen."""
    for _ in range(START_TRIES - 1):
        try:
            return _started_at(free_port(), folder, user, password)
        except RuntimeError as error:
            if TAKEN not in str(error):
                raise
    return _started_at(free_port(), folder, user, password)


def _started_at(port: int, folder: Path, user: str | None, password: str) -> Postgres:
    url = f"postgresql://lockstep:{password}@127.0.0.1:{port}/postgres"
    server = Postgres(folder, user, port, url)
    try:
        server.start()
    except BaseException:
        server.stop()
        raise
    return server


def _nobody(folder: Path) -> str | None:
    """The user that the server runs as: it refuses root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    name = "postgres" if "postgres" in names else "nobody"
    os.chown(folder, pwd.getpwnam(name).pw_uid, pwd.getpwnam(name).pw_gid)
    return name


def _create(folder: Path, password: str, locale: str, user: str | None) -> None:
    words = folder / "password"
    words.write_text(password)
    words.chmod(0o644)
    command = [program("initdb"), "-D", str(folder / "data"), "-U", "lockstep", "-A"]
    command += ["scram-sha-256", f"--pwfile={words}", "-E", "UTF8", "--locale=C.UTF-8"]
    command += ["--locale-provider=icu", f"--icu-locale={locale}", "--no-sync"]
    made = subprocess.run(
        command, capture_output=True, text=True, user=user, cwd=folder, check=False
    )
    assert made.returncode == 0, made.stderr
    words.unlink()


def main() -> int:
    """Run the command that is named beside a server; a SIGTERM is passed on to it."""
    asked: list[int] = []
    # One that comes before there is anybody to pass it on to ends nothing half-way.
    signal.signal(signal.SIGTERM, lambda number, _: asked.append(number))
    with throwaway() as server:
        environment = {**os.environ, VARIABLE: server.url}
        command = subprocess.Popen(sys.argv[1:], env=environment)
        signal.signal(signal.SIGTERM, lambda *_: command.terminate())
        if asked:
            command.terminate()
        return command.wait()


if __name__ == "__main__":
    sys.exit(main())
