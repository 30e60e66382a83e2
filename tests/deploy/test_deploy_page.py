"""Every command that docs/deploy.md names is run as a process, or is explained: which test runs it,
or why nothing here can."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.config import Config
from app.temporal import Server
from tests.deploy.compose import read_yaml, services
from tests.deploy.installation import Installation
from tests.deploy.play import done, locked, trading, until
from tests.support.postgres import throwaway
from tests.support.processes import ROOT
from tests.support.stack import Ran, run_lockstep
from tests.support.temporal import session_server

PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^ *```(\w*)\n(.*?)^ *```", PAGE, flags=re.MULTILINE | re.DOTALL)
PROGRAMS = r"(?:docker compose|sudo|lockstep|make|… lockstep) |\.venv/"
IN_LINES = re.findall(rf"`((?:{PROGRAMS})[^`]+|deploy/setup)`", PAGE)
IN_BLOCKS = [line.strip() for kind, text in BLOCKS if not kind for line in text.splitlines()]
EXEC = "docker compose exec executor "
COMMANDS = {
    one.replace("… ", EXEC) for one in [*IN_LINES, *IN_BLOCKS] if not one.startswith("postgresql:")
}

PLAYED = [
    "docker compose exec executor lockstep login-url --base-url http://127.0.0.1:8321",
    "docker compose exec executor lockstep doctor",
    "docker compose exec executor lockstep resume",
    "docker compose exec executor lockstep positions",
    "docker compose exec temporal temporal workflow list --namespace lockstep",
    "docker compose up --detach --scale executor=2",
    "docker compose exec executor lockstep db backup /var/lib/lockstep/journal.dump",
    "docker compose cp executor:/var/lib/lockstep/journal.dump .",
    "docker compose stop executor api notifier",
    (
        "docker compose run --rm --no-deps --no-TTY executor sh -c "
        "'cat > /var/lib/lockstep/back.dump' < journal.dump"
    ),
    "docker compose run --rm --no-deps executor lockstep db restore /var/lib/lockstep/back.dump",
    "docker compose up --detach --wait",
    "docker compose exec executor lockstep confirm-restore --word restored",
]
"""In the order of the page, on one installation: what stands behind `docker compose`, each time."""
UPGRADED = [
    "docker compose exec executor lockstep db backup /var/lib/lockstep/before.dump",
    "docker compose cp executor:/var/lib/lockstep/before.dump .",
    "docker compose run --rm --no-deps executor lockstep replay-open",
    "docker compose up --detach --no-deps --no-recreate --scale executor=2 executor",
    "docker compose exec --index 2 executor lockstep doctor",
    "docker stop lockstep-executor-1",
]
"""In the order of the page, up to the last line, which is among those of PLAYED."""
THIS = "tests/deploy/test_deploy_page.py"
HERE = {
    "lockstep token add prometheus --scope read": f"{THIS}::scraped_by_the_file",
    ".venv/bin/python -m pip install -e '.[otel]'": f"{THIS}::test_the_extra_is_one_that_is_there",
}
PROCESSES = "tests/deploy/test_processes.py"
MOVED = "tests/commands/test_on_postgres.py"
ELSEWHERE = {
    "deploy/setup": "tests/deploy/test_setup.py::test_it_makes_every_secret_that_the_file_names",
    "docker compose up --build --wait": f"{PROCESSES}::"
    "test_from_nothing_to_a_locked_pair_and_in_order_to_the_end",
    "docker compose down": f"{PROCESSES}::test_exchanges_that_begin_anew_begin_a_journal_anew",
    "lockstep run": "tests/app/test_fitness.py::test_an_executor_enters_nothing_there",
    "lockstep doctor": "tests/commands/test_watching.py::test_a_running_system_is_well",
    "lockstep db backup FILE": f"{MOVED}::"
    "test_a_copy_of_the_server_is_whole_and_is_put_back_halted",
    "lockstep db restore FILE": f"{MOVED}::"
    "test_a_copy_of_the_server_is_whole_and_is_put_back_halted",
    "lockstep confirm-restore": f"{THIS}::test_the_containers_do_what_the_page_says",
    "lockstep db check": f"{MOVED}::test_a_copy_of_the_server_is_whole_and_is_put_back_halted",
    "lockstep db upgrade": f"{MOVED}::test_an_upgrade_says_what_was_and_what_is",
    "lockstep db migrate-to-postgres": f"{MOVED}::"
    "test_everything_moves_and_the_file_is_closed_for_good",
    "lockstep replay-open": "tests/commands/test_retrying.py::"
    "test_every_open_arbitrage_replays_on_the_version_that_began_it",
    "sudo -u lockstep env LOCKSTEP_CONFIG=/etc/lockstep/lockstep.toml "
    "LOCKSTEP_SECRETS_DIR=/etc/lockstep/secrets /opt/lockstep/.venv/bin/python "
    "-m app.prepare temporal": f"{PROCESSES}::test_the_namespace_job_makes_what_the_product_needs",
    "sudo env XDG_CACHE_HOME=/var/cache/lockstep /opt/lockstep/scripts/bootstrap": ""
    "tests/app/test_bootstrap.py::test_a_second_run_installs_nothing",
}
"""Which test runs what the line runs."""
MOVING_IN = [
    "lockstep pause",
    "lockstep db backup before.sqlite3",
    "lockstep positions",
    "docker compose up --detach --wait postgresql",
    (
        "docker compose run --rm --no-deps --volume DATA:/old executor "
        "lockstep db migrate-to-postgres --from /old/lockstep-live.sqlite3"
    ),
]
ELSEWHERE |= dict.fromkeys(
    MOVING_IN,
    "tests/deploy/test_moving_in.py::test_what_one_machine_holds_goes_on_in_the_containers",
)
CANNOT = {
    "docker compose build": "makes an image; tests/deploy/image.py does its steps in a folder",
    "sudo systemctl stop lockstep": "needs systemd",
    "make test-postgres": "runs this file among others",
    "make test-cluster": "tests/deploy/test_cluster.py, minutes of building on machines with Go",
    "git pull --ff-only": "fetches the new version, from wherever the clone came",
    "umask 022": "is the shell's own: for the lines after it",
    "sudo useradd --system --home-dir /var/lib/lockstep --shell /usr/sbin/nologin lockstep": ""
    "adds a user to this machine",
    "sudo git clone . /opt/lockstep": "writes to /opt of this machine",
    "sudo cp deploy/systemd/*.service /etc/systemd/system/": "needs systemd; test_units has it "
    "read both units",
    "sudo systemctl daemon-reload": "needs systemd",
    "sudo systemctl enable --now lockstep": "needs systemd",
}
"""Why nothing here can run it."""


def test_every_command_of_the_page_is_run_or_explained() -> None:
    told = [*PLAYED, *UPGRADED, *HERE, *ELSEWHERE, *CANNOT]
    assert sorted(told) == sorted(set(told))
    assert set(told) - COMMANDS == set(), "not on the page"
    assert COMMANDS - set(told) == set(), "not run"


@pytest.mark.parametrize("where", sorted({*ELSEWHERE.values(), *HERE.values()}))
def test_the_test_that_is_named_is_there(where: str) -> None:
    file, _, name = where.rpartition("::")
    assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Temporal, in place of its container."""
    with session_server() as started:
        yield started


def typed(made: Installation, line: str) -> Ran:
    """What a line of the page has the engine do: commands of ours are run as they are, and what is
    the engine's alone (copy, stop, start) is done to the processes and folders that stand for it.
    """
    command, _, given = line.partition(" < ")
    match shlex.split(command)[2:]:
        case ["exec", "--index", "2", name, *words] | ["exec", name, *words]:
            # There is no terminal here on which it could ask.
            words += ["--yes"] * (words[-1] == "resume")
            return made.within(name, words, TEMPORAL_ADDRESS=made.temporal)
        case ["run", "--rm", "--no-deps", "--volume", mount, name, *words]:
            outside, inside = mount.split(":")
            folder = str(made.folder / outside)
            return made.within(name, [one.replace(inside, folder) for one in words])
        case ["run", "--rm", "--no-deps", *words]:
            name, *words = [one for one in words if one != "--no-TTY"]
            stdin = (made.folder / given).read_bytes() if given else None
            return made.within(name, words, stdin)
        case ["cp", source, "."]:
            assert source.startswith("executor:/var/lib/lockstep/")
            shutil.copy2(made.folder / "data" / Path(source).name, made.folder)
        case ["stop", *names]:
            for one in made.running:
                if one.name in names and one.process.poll() is None:
                    one.stop()
        case ["lockstep-executor-1"]:
            next(one for one in made.running if one.name == "executor").stop()
        case ["up", "--detach", *_, "--scale", "executor=2"] | [*_, "executor=2", "executor"]:
            made.await_health(made.start("executor"))
        case ["up", "--detach", "--wait", "postgresql"]:
            assert made.pg_isready().code == 0
        case ["up", "--detach", "--wait"]:
            done(made, "journal")
            alive = [one for one in made.running if one.process.poll() is None]
            if not any(one.name == "executor" for one in alive):
                made.await_health(made.start("executor"))
            for one in alive:
                if one.name == "api":
                    one.stop()
            made.await_health(made.start("api"))
        case _:
            pytest.fail(f"nothing stands for {line}")
    return Ran(0, "", "")


def scraped_by_the_file(made: Installation) -> None:
    """What Prometheus does with the file of the page, on an installation that trades."""
    (block,) = [text for kind, text in BLOCKS if kind == "yaml"]
    (made.folder / "prometheus.yml").write_text(block, encoding="utf-8")
    file = read_yaml(made.folder / "prometheus.yml")
    assert [(ROOT / "deploy" / "prometheus" / one).is_file() for one in file["rule_files"]] == [
        True
    ]
    (job,) = file["scrape_configs"]
    assert set(job) == {"job_name", "scrape_interval", "authorization", "static_configs"}
    assert set(job["authorization"]) == {"credentials_file"}
    assert job["static_configs"] == [{"targets": [f"127.0.0.1:{Config().api.port}"]}]

    token = made.within("api", shlex.split("lockstep token add prometheus --scope read"))
    assert token.code == 0, token
    scrape = f"{made.api}/metrics"
    assert httpx.get(scrape, trust_env=False).status_code == httpx.codes.UNAUTHORIZED
    bearer = {"Authorization": f"Bearer {token.out.strip()}"}
    told = httpx.get(scrape, headers=bearer, trust_env=False)
    names = {one.name for one in text_string_to_metric_families(told.text)}
    assert {"arb_unhedged_usd", "arb_executors"} <= names


def executors_told(made: Installation) -> str:
    """What the doctor says of the executors."""
    told = made.lockstep("executor", "doctor", "--json").json["checks"]
    (said,) = [str(one["detail"]) for one in told if one["name"] == "executor"]
    return said


@pytest.mark.postgres
@pytest.mark.temporal
@pytest.mark.timeout(600)
def test_the_containers_do_what_the_page_says(installation: Installation) -> None:
    made = installation
    trading(made)
    before = until(lambda: locked(made), "an arbitrage to be locked")
    for line in PLAYED[: PLAYED.index("docker compose stop executor api notifier")]:
        ran = typed(made, line)
        assert ran.code == 0, (line, ran)
    # The health check of the second one is content with the first: here they share a host's name.
    until(lambda: executors_told(made).startswith("2 alive"), "the second executor to report")
    scraped_by_the_file(made)

    stop, give, put, up, confirm = PLAYED[-5:]
    early = typed(made, put.replace("back.dump", "journal.dump"))
    assert early.code == 5, early
    assert typed(made, stop).code == 0
    assert typed(made, give).code == 0
    until(lambda: typed(made, put).code == 0, "the copy to be put back")
    assert typed(made, up).code == 0
    halted = made.lockstep("executor", "unkill", "--word", "unkill")
    assert (halted.code, "confirm-restore" in halted.err) == (5, True), halted
    until(lambda: typed(made, confirm).code == 0, "the venues to be read")
    known = made.lockstep("executor", "positions", "--json").json["positions"]
    assert {one["id"] for one in before} & {one["id"] for one in known}
    assert services()["executor"]["volumes"][0] == "lockstep-data:/var/lib/lockstep"


@pytest.mark.postgres
@pytest.mark.temporal
@pytest.mark.timeout(600)
def test_a_new_version_takes_over_line_by_line(installation: Installation) -> None:
    made = installation
    trading(made)
    before = until(lambda: locked(made), "an arbitrage to be locked")
    for line in UPGRADED[:-1]:
        ran = typed(made, line)
        assert ran.code == 0, (line, ran)
    until(lambda: executors_told(made).startswith("2 alive"), "the new executor to report")
    assert typed(made, UPGRADED[-1]).code == 0
    assert typed(made, "docker compose up --detach --wait").code == 0
    until(lambda: executors_told(made).startswith("1 alive"), "the new executor to be alone")
    known = made.lockstep("executor", "positions", "--json").json["positions"]
    assert {one["id"] for one in before} & {one["id"] for one in known}
    lines = [one for one in IN_BLOCKS if one in UPGRADED]
    assert lines == UPGRADED
    assert services()["executor"]["image"] == "lockstep:local"
    assert services({"DEPLOY_TAG": "new"})["executor"]["image"] == "lockstep:new"


@pytest.mark.postgres
def test_the_role_and_database_of_the_page_keep_a_journal(tmp_path: Path) -> None:
    (sql,) = [text for kind, text in BLOCKS if kind == "sql"]
    (address,) = [one.strip() for _, one in BLOCKS if one.strip().startswith("postgresql:")]
    with throwaway() as postgres:
        parts = urlsplit(postgres.url)
        # The server's first role is called like the one of the page.
        named = [text.replace("lockstep", "desk") for text in (sql, address)]
        with psycopg.connect(postgres.url, autocommit=True) as administrator:
            for statement in named[0].replace("…", "a password").split(";"):
                if statement.strip():
                    administrator.execute(statement.strip().encode())
        url = named[1].replace("PASSWORD", "a%20password")
        url = url.replace("HOST:5432", f"{parts.hostname}:{parts.port}")
        # A throwaway server has no certificate.
        file = tmp_path / "url"
        file.write_text(url.replace("verify-full", "prefer"))
        file.chmod(0o600)
        env = {"LOCKSTEP_DATABASE__URL_FILE": str(file)}
        made = subprocess.run(
            [sys.executable, "-m", "app.prepare", "journal"],
            cwd=ROOT,
            env=os.environ | env | {"LOCKSTEP_DATA_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert made.returncode == 0, made.stderr
        checked = run_lockstep("db", "check", folder=tmp_path, **env)
        assert checked.code == 0, checked
        refused = run_lockstep("doctor", folder=tmp_path, **env)
        assert f"{parts.port}/desk, schema lockstep_sim" in refused.out
        assert "a password" not in refused.out + refused.err


def test_the_extra_is_one_that_is_there() -> None:
    (line,) = [one for one in HERE if "pip install" in one]
    _, *words = shlex.split(line)
    # Nothing is fetched, and nothing installed: every package of the extra is here.
    careful = ["--dry-run", "--no-index", "--no-build-isolation", "--quiet", "--report", "-"]
    done = subprocess.run(
        [sys.executable, *words, *careful], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "does not provide the extra" not in done.stderr
    assert '"requested_extras":["otel"]' in "".join(done.stdout.split())
