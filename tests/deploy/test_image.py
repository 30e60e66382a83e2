"""The image: what it is made of, and who it runs as."""

import re
import stat
import subprocess
import tomllib
from pathlib import Path

from tests.deploy.image import DOCKERFILE, included, lines_of
from tests.house.rules import MAY_IMPORT
from tests.support.processes import ROOT

# pytest is no part of this list: a package that Polymarket's client stands on demands it.
NOT_IN_PRODUCTION = {"mypy", "ruff", "uv", "hypothesis", "schemathesis", "playwright", "duckdb"}


def locked(name: str) -> dict[str, frozenset[str]]:
    """Every pinned package of a lock with its hashes."""
    text = (ROOT / name).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[a-z0-9])", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    return {
        one.split(" ", 1)[0].split("\\")[0].strip(): frozenset(re.findall(r"sha256:\w+", one))
        for one in entries
    }


def test_it_starts_from_one_pinned_image_and_runs_as_nobody_special() -> None:
    (base,) = [one for one in lines_of("ARG") if one.startswith("PYTHON=")]
    assert re.fullmatch(r"PYTHON=python:3\.11\.\d+-slim-[a-z]+", base)
    assert lines_of("FROM") == ["${PYTHON} AS build", "${PYTHON}"]
    assert lines_of("USER") == ["lockstep"]
    assert lines_of("ADD") == []


def test_packages_come_by_hash_as_wheels_and_nothing_else_does() -> None:
    installs = [part for run in lines_of("RUN") for part in run.split("&&") if "pip" in part]
    assert len(installs) == 2
    packages, ourselves = installs
    assert "--require-hashes" in packages
    assert "--only-binary :all:" in packages
    assert "deploy/requirements.lock" in packages
    assert "--no-deps" in ourselves
    assert "--no-build-isolation" in ourselves
    assert not re.search(r"curl|wget|git clone", DOCKERFILE)


def test_its_user_can_read_it_whatever_the_mask_of_whoever_cloned_was(tmp_path: Path) -> None:
    """Opened where the folder is made, before it is copied as one layer: later would double it."""
    first, second = DOCKERFILE.split("\nFROM ")[1:]
    assert "chmod" not in second
    assert "COPY --from=build /opt/lockstep /opt/lockstep" in second
    *_, last = re.findall(r"^(?:COPY|RUN) .*$", first.replace("\\\n", " "), flags=re.MULTILINE)
    opened = last.split("&&")[-1]
    packages, ours = tmp_path / ".venv", tmp_path / "app" / "config.py"
    for folder in (packages, ours.parent):
        folder.mkdir()
        folder.chmod(0o700)
    ours.touch(0o600)
    subprocess.run(["/bin/sh", "-eu", "-c", opened], cwd=tmp_path, check=True)
    assert oct(ours.stat().st_mode) == oct(stat.S_IFREG | 0o644)
    assert oct(ours.parent.stat().st_mode) == oct(stat.S_IFDIR | 0o755)
    assert oct(packages.stat().st_mode) == oct(stat.S_IFDIR | 0o700), "large, and root made it here"


def test_its_lock_is_a_part_of_the_lock_that_is_tested() -> None:
    image, tested = locked("deploy/requirements.lock"), locked("requirements.lock")
    assert len(image) > 40
    assert {name: tested.get(name) for name in image} == image


def test_its_lock_has_what_the_product_needs_and_no_tool() -> None:
    names = {one.split("==")[0].split("[")[0] for one in locked("deploy/requirements.lock")}
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    plain = {re.split(r"[\[<>=;]", one)[0].strip() for one in wanted["dependencies"]}
    assert plain <= names
    assert names & NOT_IN_PRODUCTION == set()


def test_it_holds_every_room_and_no_secret() -> None:
    for room in MAY_IMPORT:
        assert included(f"{room}/__init__.py"), room
    assert included("ui/templates/base.html")
    assert included("store/migrations/versions/0001.py")
    for needed in ("pyproject.toml", "README.md", "LICENSE", "deploy/requirements.lock"):
        assert included(needed), needed
    for path in (
        ".env", ".git/config", "secrets/database__url", "lockstep.toml", "tests/conftest.py",
        "deploy/etc/lockstep.toml", "x.sqlite3", ".venv/bin/python", "app/__pycache__/x.pyc",
    ):  # fmt: skip
        assert not included(path), path


def test_it_has_the_program_that_copies_the_journal_of_the_servers_version() -> None:
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    (server,) = re.findall(r"image: postgres:(\d+)\.", compose)
    assert f"postgresql-client-{server}" in DOCKERFILE
