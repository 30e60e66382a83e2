"""`deploy/setup`: the secrets of an installation and whose containers they are."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from app.config_sources import load_config
from app.errors import ConfigError
from domain.venue import Mode
from tests.deploy.compose import compose
from tests.support.processes import ROOT

SCRIPT = ROOT / "deploy" / "setup"


def set_up(folder: Path) -> None:
    """Run it as a person does."""
    subprocess.run([SCRIPT, folder], check=True, timeout=30, capture_output=True)


def contents(folder: Path) -> dict[str, str]:
    """Every file by its name."""
    return {one.name: one.read_text() for one in [*folder.glob("secrets/*"), folder / ".env"]}


def test_it_makes_every_secret_that_the_file_names(tmp_path: Path) -> None:
    set_up(tmp_path)
    assert {one.name for one in (tmp_path / "secrets").iterdir()} == set(compose()["secrets"])
    for file in (tmp_path / "secrets").iterdir():
        assert file.stat().st_mode & 0o777 == 0o600, file
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    told = contents(tmp_path)
    passwords = {told[f"{one}_password"] for one in ("postgres", "temporal", "journal")}
    assert {len(one) for one in passwords} == {48}
    assert len(passwords) == 3
    assert f":{told['journal_password']}@" in told["database__url"]


def test_a_second_run_changes_nothing_and_adds_what_is_missing(tmp_path: Path) -> None:
    set_up(tmp_path)
    before = contents(tmp_path)
    (tmp_path / "secrets" / "telegram__token").unlink()
    (tmp_path / ".env").write_text("DEPLOY_UID=7\n")
    set_up(tmp_path)
    assert contents(tmp_path) == {**before, ".env": "DEPLOY_UID=7\n"}


def test_the_containers_belong_to_who_ran_it_and_never_to_root(tmp_path: Path) -> None:
    set_up(tmp_path)
    lines = (tmp_path / ".env").read_text().splitlines()
    told = dict(one.split("=", 1) for one in lines if not one.startswith("#"))
    by_root = os.getuid() == 0
    assert told == {
        "DEPLOY_UID": os.environ.get("SUDO_UID", "1000") if by_root else str(os.getuid()),
        "DEPLOY_GID": os.environ.get("SUDO_GID", "1000") if by_root else str(os.getgid()),
        "COMPOSE_PROFILES": "sim",
    }
    for file in [*(tmp_path / "secrets").iterdir(), tmp_path / ".env"]:
        assert str(file.stat().st_uid) == told["DEPLOY_UID"]


def test_the_example_of_a_live_installation_is_one_but_for_the_keys(tmp_path: Path) -> None:
    file = ROOT / "deploy" / "etc" / "lockstep.example.toml"
    config = load_config(config_file=file, env={}, folder=tmp_path, trades=False).config
    assert config.mode is Mode.LIVE
    with pytest.raises(ConfigError) as missing:
        load_config(config_file=file, env={}, folder=tmp_path)
    keys = [line.partition(":")[0] for line in str(missing.value).splitlines()]
    assert keys == ["polymarket.private_key", "kalshi.private_key_pem"]


def test_the_program_reads_them_and_an_empty_file_sets_nothing(tmp_path: Path) -> None:
    set_up(tmp_path)
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    for file in (tmp_path / "secrets").iterdir():
        if not file.name.endswith("_password"):  # those are for other programs' containers
            shutil.copyfile(file, mounted / file.name)
            (mounted / file.name).chmod(0o600)
    env = {"LOCKSTEP_SECRETS_DIR": str(mounted)}
    loaded = load_config(env=env, folder=tmp_path)
    assert set(loaded.origins) == {"database.url"}
    assert (
        str(loaded.config.journal) == "postgresql://postgresql:5432/lockstep, schema lockstep_sim"
    )
