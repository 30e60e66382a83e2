"""The services of docker-compose.yml as plain processes: their commands, their environment, their
secrets and their health checks, with addresses of containers turned into addresses of this machine.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from app.config_sources import KEY_FILES
from app.temporal_binary import ensure_binary
from tests.deploy.compose import Service, environment, seconds, services
from tests.support.postgres import Postgres, program
from tests.support.processes import ROOT
from tests.support.stack import Ran

SECONDS = 90
"""How long a machine with other work to do may take to have a process started."""
KEPT = ("PATH", "LANG", "HOME", "TMPDIR", "TZ")
PORTS = (
    "7100", "7101", "7102", "8321",
    "7233", "7234", "7235", "7239", "6933", "6934", "6935", "6939",
)  # fmt: skip
"""What the files name; each stands for a free one of this machine."""


@dataclass
class Process:
    """A service that runs; what it says is in a file."""

    name: str
    service: Service
    process: "subprocess.Popen[bytes]"
    log: Path

    def stop(self) -> float:
        """SIGTERM, as the engine stops it; seconds until it had ended, with 0, by itself."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(seconds(self.service["stop_grace_period"]))
        assert code == 0, f"{self.name} ended with {code}: {self.log.read_text()[-2000:]}"
        return time.monotonic() - began

    def end(self) -> None:
        """However it is."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@dataclass
class Installation:
    """A folder made by `deploy/setup`, and what stands for the containers' network and volumes.
    `image` is the folder that stands for our image, `programs` for those of Temporal; without the
    latter `temporal` is the address of a server that stands for its service. `given` is what .env
    says."""

    folder: Path
    image: Path
    postgres: Postgres
    temporal: str = ""
    programs: Path | None = None
    given: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    running: list[Process] = field(default_factory=list)

    def __post_init__(self) -> None:
        low = _low_ports()
        self.ports |= {port: next(low) for port in PORTS}
        self.temporal = self.temporal or f"127.0.0.1:{self.ports['7233']}"
        (self.folder / "data").mkdir()
        (self.folder / "temporal").mkdir()
        for file in (ROOT / "deploy" / "temporal").iterdir():
            text = self._here(file.read_text(encoding="utf-8"), self.folder)
            (self.folder / "temporal" / file.name).write_text(text, encoding="utf-8")
        self._give("database__url", self._url("journal", "lockstep"))

    @property
    def api(self) -> str:
        """Where the pages answer on this machine."""
        return f"http://127.0.0.1:{self.ports['8321']}"

    @property
    def control(self) -> str:
        """Where the exchanges are told what to do."""
        return f"http://127.0.0.1:{self.ports['7100']}"

    def make_roles(self) -> Ran:
        """What the container of PostgreSQL runs at its first start."""
        parts = urlsplit(self.postgres.url)
        told = {
            "SECRETS_DIR": str(self.folder / "secrets"),
            "POSTGRES_USER": str(parts.username),
            "PGPASSWORD": str(parts.password),
            "PGHOST": str(parts.hostname),
            "PGPORT": str(parts.port),
        }
        script = ROOT / "deploy" / "postgres" / "roles.sh"
        return _ran(["/bin/sh", str(script)], self._base() | told, self.folder)

    def pg_isready(self) -> Ran:
        """The health check of PostgreSQL."""
        command = services()["postgresql"]["healthcheck"]["test"][1:]
        port = str(urlsplit(self.postgres.url).port)
        words = [program("pg_isready") if one == "pg_isready" else one for one in command]
        return _ran(words, self._base() | {"PGPORT": port}, self.folder)

    def job(self, name: str, **extra: str) -> Ran:
        """Run a service that ends."""
        command = self._command(services(self.given)[name])
        return _ran(command, self._told(name, extra), self.image)

    def start(self, name: str, **extra: str) -> Process:
        """Start a service that stays; `extra` is what its configuration file would say."""
        service = services(self.given)[name]
        log = self.folder / f"{name}-{len(self.running)}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                self._command(service),
                env=self._told(name, extra),
                cwd=self.image,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self.running.append(Process(name, service, process, log))
        return self.running[-1]

    def health(self, name: str, **extra: str) -> Ran:
        """The health check of a service."""
        check = services(self.given)[name]["healthcheck"]["test"]
        assert check[0] == "CMD"
        return _ran(self._words(check[1:]), self._told(name, extra), self.image)

    def await_health(self, process: Process, **extra: str) -> None:
        """Until it is healthy; it must not end meanwhile."""
        deadline = time.monotonic() + SECONDS
        while (told := self.health(process.name, **extra)).code != 0:
            said = process.log.read_text()[-2000:]
            assert process.process.poll() is None, f"{process.name} ended: {said}"
            assert time.monotonic() < deadline, f"{process.name}: {told}\n{said}"
            time.sleep(0.2)

    def lockstep(self, name: str, *arguments: str, **extra: str) -> Ran:
        """The command within a service's container."""
        return self.within(name, ["lockstep", *arguments], None, **extra)

    def within(
        self, name: str, command: list[str], typed: bytes | None = None, **extra: str
    ) -> Ran:
        """A command within a service's container, which reads `typed`."""
        return _ran(self._words(command), self._told(name, extra), self.image, typed)

    def end(self) -> None:
        """Whatever still runs."""
        for one in reversed(self.running):
            one.end()

    def secret(self, name: str, value: str) -> None:
        """Write a secret as a person does."""
        self._give(name, value)

    def _give(self, name: str, value: str) -> None:
        file = self.folder / "secrets" / name
        file.write_text(value)
        file.chmod(0o600)

    def _url(self, role: str, database: str) -> str:
        port = urlsplit(self.postgres.url).port
        password = (self.folder / "secrets" / f"{role}_password").read_text()
        return f"postgresql://{role}:{password}@127.0.0.1:{port}/{database}"

    def _base(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        return kept | ({"PATH": f"{self.programs}:{kept['PATH']}"} if self.programs else {})

    def _told(self, name: str, extra: dict[str, str]) -> dict[str, str]:
        """The environment of a container: nothing of ours but what a shell needs."""
        service = services(self.given)[name]
        mounted = self._mounted(name, service)
        told = {k: self._here(v, mounted) for k, v in environment(service).items()}
        if told.get("LOCKSTEP_API__HOST") == "api":
            told["LOCKSTEP_API__HOST"] = "127.0.0.1"
        assert not set(told) & {f"LOCKSTEP_{key.upper()}" for key in KEY_FILES}
        if "SQL_HOST" in told:
            told |= {"SQL_HOST": "127.0.0.1", "SQL_PORT": str(urlsplit(self.postgres.url).port)}
        return self._base() | told | {"COLUMNS": "200"} | extra

    def _mounted(self, name: str, service: Service) -> Path:
        """The folder that a container sees as /run/secrets: the secrets it was given, no other.
        Each is replaced in one act: the service itself may be reading while its health is asked."""
        folder = self.folder / "run" / name
        folder.mkdir(parents=True, exist_ok=True)
        given = service.get("secrets", [])
        for secret in given:
            copied = shutil.copy2(self.folder / "secrets" / secret, f"{folder}-{secret}")
            Path(copied).replace(folder / secret)
        for other in folder.iterdir():
            if other.name not in given:
                other.unlink()
        return folder

    def _command(self, service: Service) -> list[str]:
        return self._words(service.get("entrypoint") or service["command"])

    def _words(self, command: list[str]) -> list[str]:
        """The program within the folder that stands for its image."""
        program_, *words = (self._here(one, self.folder) for one in command)
        if program_ == "temporal":
            return [str(ensure_binary()), *words]
        if program_ in ("lockstep", "python"):
            return [str(self.image / ".venv" / "bin" / program_), *words]
        assert program_ in ("/bin/sh", "sh")
        return [program_, *words]

    def _here(self, text: str, mounted: Path) -> str:
        places = {
            "/var/lib/lockstep": str(self.folder / "data"),
            "/run/secrets": str(mounted),
            "/etc/lockstep-temporal": str(self.folder / "temporal"),
            "/etc/temporal/schema/postgresql/v12": f"{self.programs}/schema",
            "temporal:7233": self.temporal,
            "//sim:": "//127.0.0.1:",
            **{rf"\b{name}\b": str(port) for name, port in self.ports.items()},
        }
        named = {key.replace(r"\b", ""): here for key, here in places.items()}
        return re.sub("|".join(places), lambda found: named[found[0]], text)


def _low_ports() -> Iterator[int]:
    """Free ports, none twice. Temporal keeps its own in 16 bits with a sign: none above 32767."""
    start = 20_000 + os.getpid() * 37 % 10_000
    for port in range(start, 32_767):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                yield port


def _ran(
    command: list[str], env: Mapping[str, str], folder: Path, typed: bytes | None = None
) -> Ran:
    done = subprocess.run(
        command,
        env=env,
        cwd=folder,
        input=typed or b"",
        capture_output=True,
        timeout=180,
        check=False,
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


@contextmanager
def installed(
    folder: Path,
    image: Path,
    postgres: Postgres,
    temporal: str = "",
    programs: Path | None = None,
) -> Iterator[Installation]:
    """Set up as a person does it, the database with its roles and nothing else; whatever still
    runs is ended with the block."""
    subprocess.run([ROOT / "deploy" / "setup", folder], check=True, timeout=30, capture_output=True)
    installation = Installation(folder, image, postgres, temporal, programs)
    roles = installation.make_roles()
    assert roles.code == 0, roles.err
    try:
        yield installation
    finally:
        installation.end()
