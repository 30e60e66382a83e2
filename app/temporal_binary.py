"""Finds the Temporal CLI whose server we run and test (1.29), or gets it into the user's cache.

Order: LOCKSTEP_TEMPORAL_BIN, PATH, the cache, the SDK's own download, `go install`. Whatever is
built is built in a scratch folder inside the cache that is removed afterwards.
"""

import fcntl
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from app.errors import DependencyError

CLI_VERSION = "v1.5.1"
SERVER_SERIES = "1.29"
GO_PACKAGE = f"github.com/temporalio/cli/cmd/temporal@{CLI_VERSION}"
DOWNLOAD_SECONDS = 180
BUILD_SECONDS = 1800
REPORT_EVERY_SECONDS = 30
HOW_TO_GET = (
    f"put the Temporal CLI {CLI_VERSION} (github.com/temporalio/cli/releases/tag/{CLI_VERSION}) on "
    "PATH, or install Go (go.dev/dl) and run again, or set TEMPORAL_ADDRESS to a running server"
)

Say = Callable[[str], None]


def say_on_stderr(line: str) -> None:
    """Tell the person at the terminal what is being done; stdout stays free for data."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def cache_dir(env: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """Our folder in the user's cache: XDG_CACHE_HOME, else the platform's usual place."""
    if base := env.get("XDG_CACHE_HOME"):
        return Path(base) / "lockstep"
    if platform == "darwin":
        return Path.home() / "Library" / "Caches" / "lockstep"
    return Path.home() / ".cache" / "lockstep"


def server_version(binary: Path) -> str | None:
    """The version of the server inside a Temporal CLI, such as "1.29.1"; None if it is not one."""
    try:
        answer = subprocess.run(
            [str(binary), "--version"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"\bServer (\d+\.\d+\.\d+)", answer.stdout)
    return found.group(1) if found else None


def is_ours(version: str | None) -> bool:
    """Whether a server version is one that we run and test."""
    return version is not None and version.startswith(SERVER_SERIES + ".")


def ensure_binary(env: Mapping[str, str] = os.environ, say: Say = say_on_stderr) -> Path:
    """The path of a usable Temporal CLI, fetched or built if need be.

    Raises DependencyError (exit code 4) that says what was tried and how to get one.
    """
    if named := env.get("LOCKSTEP_TEMPORAL_BIN"):
        version = server_version(Path(named))
        if not is_ours(version):
            raise DependencyError(
                f"LOCKSTEP_TEMPORAL_BIN: expected a Temporal CLI with server {SERVER_SERIES}.x, "
                f"found {version or 'no such program'} at {named}"
            )
        return Path(named)
    tried: list[str] = []
    if found := _search(env, tried):
        return found
    cache = cache_dir(env)
    with one_at_a_time(cache):
        if found := _search(env, []):  # another process may have got it while we waited
            return found
        for get in (_download, _go_install):
            if found := get(cache, env, say, tried):
                return found
    raise DependencyError(f"no Temporal CLI ({'; '.join(tried)}): {HOW_TO_GET}")


def _search(env: Mapping[str, str], tried: list[str]) -> Path | None:
    on_path = shutil.which("temporal", path=env.get("PATH"))
    cached = cache_dir(env) / "bin" / "temporal"
    for place in ([Path(on_path)] if on_path else []) + ([cached] if cached.exists() else []):
        version = server_version(place)
        if is_ours(version):
            return place
        tried.append(f"{place} holds server {version or 'unknown'}, not {SERVER_SERIES}.x")
    if not on_path:
        tried.append("none on PATH")
    return None


@contextmanager
def one_at_a_time(cache: Path) -> Iterator[None]:
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "temporal.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def scratch_folder(cache: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="scratch-", dir=cache))
    try:
        yield folder
    finally:
        _remove_tree(folder)


def _remove_tree(folder: Path) -> None:
    """Remove a folder even where Go left its module cache read-only."""
    for place, _, _ in os.walk(folder):
        Path(place).chmod(stat.S_IRWXU)
    shutil.rmtree(folder)


def _adopt(binary: Path, cache: Path) -> Path:
    """Move a binary into the cache in one step, so that nobody ever starts half of it."""
    target = cache / "bin" / "temporal"
    target.parent.mkdir(parents=True, exist_ok=True)
    binary.chmod(0o755)
    return binary.replace(target)


def _download(cache: Path, env: Mapping[str, str], say: Say, tried: list[str]) -> Path | None:
    """Let the SDK fetch the CLI, in a child that can be ended: its download has no time limit."""
    say(f"Temporal CLI {CLI_VERSION}: downloading (about 100 MB, at most {DOWNLOAD_SECONDS} s)")
    with scratch_folder(cache) as scratch:
        child = subprocess.Popen(
            [sys.executable, "-m", "app.temporal_download", CLI_VERSION, str(scratch)],
            env=dict(env),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        code, output = _wait(child, DOWNLOAD_SECONDS, "downloading", say)
        got = next(
            (file for file in scratch.glob("temporal*") if is_ours(server_version(file))), None
        )
        if code == 0 and got:
            return _adopt(got, cache)
    tried.append(f"download failed: {_last_line(output)}")
    return None


def _go_install(cache: Path, env: Mapping[str, str], say: Say, tried: list[str]) -> Path | None:
    go = shutil.which("go", path=env.get("PATH"))
    if not go:
        tried.append("no Go to build it with")
        return None
    say(
        f"Temporal CLI {CLI_VERSION}: building with Go (3 to 10 minutes and 3 GB for a while, once)"
    )
    with scratch_folder(cache) as scratch:
        child = subprocess.Popen(
            [go, "install", GO_PACKAGE],
            env=go_environment(env, scratch),
            cwd=scratch,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        code, output = _wait(child, BUILD_SECONDS, "building", say)
        built = scratch / "bin" / "temporal"
        if code == 0 and is_ours(server_version(built)):
            say("Temporal CLI: built")
            return _adopt(built, cache)
    tried.append(f"go install failed: {_last_line(output)}")
    return None


def go_environment(env: Mapping[str, str], scratch: Path) -> dict[str, str]:
    """The user's Go settings, with every folder that Go writes to inside the scratch folder."""
    home = Path.home()
    config = Path(env.get("XDG_CONFIG_HOME") or home / ".config")
    if sys.platform == "darwin":
        config = home / "Library" / "Application Support"
    kept = {"GOENV": str(config / "go" / "env"), "NETRC": str(home / ".netrc")}
    writes = {
        "HOME": "home",
        "XDG_CONFIG_HOME": "home/.config",
        "GOPATH": "path",
        "GOMODCACHE": "path/pkg/mod",
        "GOCACHE": "build",
        "GOBIN": "bin",
        "GOTMPDIR": "tmp",
    }
    for folder in writes.values():
        (scratch / folder).mkdir(parents=True, exist_ok=True)
    inside = {name: str(scratch / folder) for name, folder in writes.items()}
    return kept | dict(env) | inside | {"CGO_ENABLED": "0", "GOFLAGS": "-modcacherw"}


def _wait(child: subprocess.Popen[str], seconds: int, doing: str, say: Say) -> tuple[int, str]:
    """Wait for a child, saying now and then that it is still at it.

    At the limit, or when we are interrupted, it ends with everything it started.
    """
    started = time.monotonic()
    try:
        while (spent := time.monotonic() - started) < seconds:
            try:
                _, output = child.communicate(timeout=min(REPORT_EVERY_SECONDS, seconds - spent))
            except subprocess.TimeoutExpired:
                say(f"  still {doing}, {round(time.monotonic() - started)} s")
            else:
                return child.returncode, output
        return -1, f"not done after {seconds} s"
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def _last_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"
