"""The order in which the Temporal CLI is searched for, with stand-ins for the programs."""

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import DependencyError, ExitCode
from app.temporal_binary import cache_dir, ensure_binary, server_version

OURS = "1.29.1"
Program = Callable[[str, str], Path]


def a_temporal(path: Path, version: str = OURS) -> Path:
    """A program that answers --version as the CLI does."""
    return a_program(path, f"echo 'temporal version 1.5.1 (Server {version}, UI 2.42.1)'")


def a_program(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


class Machine:
    """A machine with its own PATH and cache, and no way out to the internet."""

    def __init__(self, root: Path) -> None:
        self.path = root / "path"
        self.path.mkdir()
        self.env = {
            "PATH": str(self.path),
            "XDG_CACHE_HOME": str(root / "cache"),
            "HTTPS_PROXY": "http://127.0.0.1:9",
        }
        self.cached = root / "cache" / "lockstep" / "bin" / "temporal"
        self.said: list[str] = []

    def ensure(self) -> Path:
        return ensure_binary(self.env, self.said.append)

    def left_over(self) -> list[Path]:
        """What remains in our cache folder besides the binary and the lock."""
        kept = {"bin", "temporal.lock"}
        return [place for place in self.cached.parents[1].iterdir() if place.name not in kept]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


# Builds as Go does: into GOBIN, with a module cache that is read-only.
GO_BUILDS = """\
PATH=/usr/bin:/bin
test "$1 $2" = "install github.com/temporalio/cli/cmd/temporal@v1.5.1" || exit 9
case "$HOME$GOPATH$GOCACHE$GOMODCACHE$XDG_CONFIG_HOME" in *"$REAL_HOME"/.*) exit 8;; esac
mkdir -p "$GOMODCACHE/sub" && touch "$GOMODCACHE/sub/file"
chmod 555 "$GOMODCACHE/sub" "$GOMODCACHE"
printf '#!/bin/sh\\necho "temporal version 0.0.0-DEV (Server 1.29.1, UI 2.42.1)"\\n' \
    > "$GOBIN/temporal"
chmod 755 "$GOBIN/temporal"
"""


def test_the_named_binary_wins(machine: Machine, tmp_path: Path) -> None:
    a_temporal(machine.path / "temporal")
    named = a_temporal(tmp_path / "elsewhere" / "temporal")
    machine.env["LOCKSTEP_TEMPORAL_BIN"] = str(named)
    assert machine.ensure() == named


def test_a_named_binary_of_another_version_is_refused(machine: Machine, tmp_path: Path) -> None:
    a_temporal(machine.path / "temporal")
    machine.env["LOCKSTEP_TEMPORAL_BIN"] = str(a_temporal(tmp_path / "new", "1.31.2"))
    with pytest.raises(DependencyError, match=r"expected a Temporal CLI with server 1\.29\.x"):
        machine.ensure()


def test_path_comes_before_the_cache(machine: Machine) -> None:
    a_temporal(machine.cached)
    assert machine.ensure() == machine.cached
    on_path = a_temporal(machine.path / "temporal")
    assert machine.ensure() == on_path
    assert machine.said == []


def test_another_version_on_path_is_passed_over(machine: Machine) -> None:
    a_temporal(machine.path / "temporal", "1.30.0")
    a_temporal(machine.cached)
    assert machine.ensure() == machine.cached


def test_go_builds_it_and_leaves_nothing_else(machine: Machine) -> None:
    machine.env["REAL_HOME"] = str(Path.home())
    a_program(machine.path / "go", GO_BUILDS)
    assert machine.ensure() == machine.cached
    assert server_version(machine.cached) == OURS
    assert machine.left_over() == []
    assert any("building with Go" in line and "minutes" in line for line in machine.said)
    machine.said.clear()
    assert machine.ensure() == machine.cached
    assert machine.said == []


def test_without_any_way_one_line_says_what_was_tried_and_how_to_get_it(machine: Machine) -> None:
    a_temporal(machine.path / "temporal", "1.30.0")
    with pytest.raises(DependencyError) as caught:
        machine.ensure()
    message = str(caught.value)
    assert "\n" not in message
    for part in ("server 1.30.0, not 1.29.x", "download failed", "no Go", "v1.5.1", "PATH"):
        assert part in message
    assert caught.value.exit_code == ExitCode.DEPENDENCY
    assert machine.left_over() == []


def test_a_failed_build_is_reported_with_its_last_line(machine: Machine) -> None:
    a_program(machine.path / "go", "echo noise >&2; echo 'no such module' >&2; exit 1")
    with pytest.raises(DependencyError, match="go install failed: no such module"):
        machine.ensure()
    assert machine.left_over() == []
    assert not machine.cached.exists()


def test_the_cache_is_where_the_platform_keeps_it() -> None:
    assert cache_dir({"XDG_CACHE_HOME": "/x"}, "darwin") == Path("/x/lockstep")
    assert cache_dir({}, "linux") == Path.home() / ".cache/lockstep"
    assert cache_dir({}, "darwin") == Path.home() / "Library/Caches/lockstep"


def test_what_is_no_temporal_has_no_version(tmp_path: Path) -> None:
    assert server_version(tmp_path / "none") is None
    assert server_version(a_program(tmp_path / "x", "echo temporal 9")) is None
    plain = tmp_path / "plain"
    plain.write_text("not a program")
    assert server_version(plain) is None


def test_this_machine_has_a_real_one() -> None:
    binary = ensure_binary(os.environ)
    assert shutil.which(binary)
    assert binary.stat().st_mode & stat.S_IXUSR
    version = server_version(binary)
    assert version is not None
    assert version.startswith("1.29.")
