"""Every verb: help that opens with examples, a schema for what it prints, completion."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import typer

from app.cli import app
from app.operating.outputs import SCHEMAS
from tests.house.test_documents import commands
from tests.support.stack import LOCKSTEP, run_lockstep

VERBS = sorted(commands(app))
WITHOUT_JSON = {
    "config schema", "schema", "version", "run", "sim", "hash-password", "login-url", "token add",
    "token revoke",
}  # fmt: skip
OWN_JSON = {"demo", "chaos"}
"""Their summaries are described where they are documented."""


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


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_opens_with_examples(verb: str) -> None:
    summary, examples, *_ = help_of(verb).split("\n\n")
    assert summary.strip().endswith("."), "one sentence says what it does"
    lines = examples.splitlines()
    assert lines[:2] == ["\b", "Examples:"]
    for line in lines[2:]:
        assert re.match(rf"  {verb}\b.*  \S", line), line


@pytest.mark.parametrize("verb", VERBS)
def test_what_a_verb_prints_as_json_has_a_schema(verb: str) -> None:
    name = verb.removeprefix("lockstep ")
    if name in WITHOUT_JSON | OWN_JSON:
        return
    assert name.replace(" ", "-") in SCHEMAS


def test_no_schema_is_without_its_verb() -> None:
    names = {verb.removeprefix("lockstep ").replace(" ", "-") for verb in VERBS}
    assert set(SCHEMAS) <= names


def test_the_installed_help_shows_them(tmp_path: Path) -> None:
    done = run_lockstep("close", "--help", folder=tmp_path)
    assert done.code == 0
    assert done.out.index("Examples:") < done.out.index("Options:")
    assert "lockstep close 3fa2 --dry-run" in done.out


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
