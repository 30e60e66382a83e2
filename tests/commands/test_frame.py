"""Every verb: help that opens with examples, a schema for what it prints, completion."""

import os
import re
import subprocess
from pathlib import Path

import fastjsonschema
import pytest
import typer
from typer.main import get_command

from app.cli import app
from app.operating.published import SCHEMAS
from app.process import PROCESSES
from tests.house.test_documents import commands
from tests.support.stack import LOCKSTEP, run_lockstep

VERBS = sorted(commands(app))
WITHOUT_JSON = {
    "config schema": "what it prints is a JSON Schema, so JSON already",
    "run": "it stays and trades; what it says are logs, which `logs --json` prints",
    "sim": "its one line of data is JSON already: the addresses and test keys",
}
"""Verbs without --json, each with the reason."""
OWN_SCHEMA = {"chaos": "a tool of a clone; docs/reliability.md says what its report holds"}


def help_of(verb: str) -> str:
    """The registered help of a verb."""
    groups: dict[str, typer.Typer] = {"": app}
    groups |= {
        str(one.name): one.typer_instance for one in app.registered_groups if one.typer_instance
    }
    *path, name = verb.split()[1:]
    for command in groups[path[0] if path else ""].registered_commands:
        if command.name == name:
            return str(command.help)
    raise AssertionError(f"no verb {verb}")


def options_of(verb: str) -> set[str]:
    """Every option that the verb takes, as it is typed."""
    command = get_command(app)
    for name in verb.split()[1:]:
        command = command.commands[name]  # type: ignore[attr-defined]
    return {word for option in command.params for word in option.opts}


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_opens_with_examples(verb: str) -> None:
    summary, examples, *_ = help_of(verb).split("\n\n")
    assert summary.strip().endswith("."), "one sentence says what it does"
    lines = examples.splitlines()
    assert lines[:2] == ["\b", "Examples:"]
    for line in lines[2:]:
        assert re.match(rf"  {verb}\b.*  \S", line), line


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_takes_json_or_there_is_a_reason(verb: str) -> None:
    name = verb.removeprefix("lockstep ")
    assert ("--json" in options_of(verb)) is (name not in WITHOUT_JSON)


@pytest.mark.parametrize("verb", VERBS)
def test_what_a_verb_prints_as_json_has_a_schema(verb: str) -> None:
    name = verb.removeprefix("lockstep ")
    if name not in {**WITHOUT_JSON, **OWN_SCHEMA}:
        assert name.replace(" ", "-") in SCHEMAS


def test_every_reason_is_about_a_verb_that_exists() -> None:
    names = {verb.removeprefix("lockstep ") for verb in VERBS}
    assert {*WITHOUT_JSON, *OWN_SCHEMA} <= names


@pytest.mark.parametrize(
    ("schema", "typed"),
    [
        ("version", "version"),
        ("schema", "schema"),
        ("login-url", "login-url --base-url https://desk.example"),
        ("token-add", "token add monitoring --scope read"),
        ("token-revoke", "token revoke monitoring"),
        ("export-trades", "export trades"),
    ],
)
def test_data_that_need_no_run_keep_to_their_schema(
    schema: str, typed: str, tmp_path: Path
) -> None:
    made = run_lockstep("token", "add", "monitoring", folder=tmp_path)
    assert made.code == 0, made
    told = run_lockstep(*typed.split(), "--json", folder=tmp_path)
    assert told.code == 0, told
    assert told.json["schema_version"] == 1
    fastjsonschema.compile(run_lockstep("schema", schema, folder=tmp_path).json)(told.json)


def test_a_person_gets_the_bare_line(tmp_path: Path) -> None:
    """A token is piped, a link is clicked: nothing stands around either."""
    token = run_lockstep("token", "add", "monitoring", folder=tmp_path)
    assert re.fullmatch(r"lockstep_[\w-]{43}\n", token.out)
    link = run_lockstep("login-url", "--base-url", "https://desk.example", folder=tmp_path)
    assert re.fullmatch(r"https://desk\.example/login\?token=[\w-]{43}\n", link.out)
    ended = run_lockstep("token", "revoke", "monitoring", folder=tmp_path)
    assert ended.out == "ended 1\n"


def test_a_password_is_hashed_only_on_a_terminal(tmp_path: Path) -> None:
    done = run_lockstep("hash-password", "--json", folder=tmp_path, typed="a long password\n")
    assert (done.code, "expected a terminal" in done.err) == (2, True)


def test_no_schema_is_without_its_verb() -> None:
    names = {verb.removeprefix("lockstep ").replace(" ", "-") for verb in VERBS}
    assert set(SCHEMAS) <= names


def test_the_installed_help_shows_them(tmp_path: Path) -> None:
    done = run_lockstep("close", "--help", folder=tmp_path)
    assert done.code == 0
    assert done.out.index("Examples:") < done.out.index("Options:")
    assert "lockstep close 3fa2 --dry-run" in done.out


def test_the_help_of_run_names_every_process_that_it_accepts(tmp_path: Path) -> None:
    done = run_lockstep("run", "--help", folder=tmp_path)
    said = " ".join(done.out.split())
    (named,) = re.findall(r"One process alone: (.*?)\.", said)
    assert set(re.split(r", | or ", named)) == {*PROCESSES, "sim"}


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("lockstep clo", "close"), ("lockstep settings re", "revert"), ("lockstep un", "unkill")],
)
def test_a_shell_completes_verbs(typed: str, offered: str) -> None:
    words = typed.split()
    done = subprocess.run(
        [LOCKSTEP],
        env={
            **os.environ,
            "_LOCKSTEP_COMPLETE": "complete_bash",
            "COMP_WORDS": typed,
            "COMP_CWORD": str(len(words) - 1),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert offered in done.stdout.split(), done


def test_the_completion_script_can_be_shown(tmp_path: Path) -> None:
    # Otherwise the shell is that of the process above, which under make is none that completes.
    named = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    done = run_lockstep("--show-completion", "bash", folder=tmp_path, **named)
    assert done.code == 0, done
    assert "_LOCKSTEP_COMPLETE=complete_bash" in done.out
