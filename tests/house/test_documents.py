"""What a reader needs is written down, and nothing that only one machine knows."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from app.cli import app
from app.config_sources import PREFIX, known_keys
from tests.house.repository import ROOT, files, sources, texts

INDEX_HOSTS = ("pypi." + "org", "python" + "hosted", "npm" + "js", "proxy.golang." + "org")
LOCK_ADDRESS = re.compile(r"://|--(extra-)?index-url|--find-links|--trusted-host| @ ")


def commands(group: typer.Typer, path: str = "lockstep") -> Iterator[str]:
    """Every command a person can type."""
    for command in group.registered_commands:
        name = command.name or (command.callback.__name__ if command.callback else "")
        yield f"{path} {name.replace('_', '-')}"
    for below in group.registered_groups:
        if below.typer_instance is not None:
            yield from commands(below.typer_instance, f"{path} {below.name}")


def documentation() -> str:
    """All pages for people."""
    pages = [text for path, text in texts().items() if path.suffix == ".md"]
    return "\n".join(pages)


@pytest.mark.parametrize("key", sorted(known_keys()))
def test_every_setting_is_documented(key: str) -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert f"`{key}`" in page


def test_every_documented_setting_exists() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| `([a-z_.]+)`", page, flags=re.MULTILINE)
    assert set(named) == set(known_keys())
    variables = re.findall(rf"`{PREFIX}([A-Z_]+__[A-Z_]+)", page)
    assert {name.lower().replace("__", ".") for name in variables} <= set(known_keys())


@pytest.mark.parametrize("command", list(commands(app)))
def test_every_command_is_documented(command: str) -> None:
    assert command in documentation()


def alarm_codes() -> set[str]:
    """Every code that the product raises an alarm under."""
    found = set()
    for source in sources():
        if source.room == "tests":
            continue
        for node in ast.walk(source.tree):
            name = getattr(node, "func", None) if isinstance(node, ast.Call) else None
            called = getattr(name, "id", getattr(name, "attr", ""))
            if isinstance(node, ast.Call) and called in ("Alarm", "Finding", "_raise", "_finding"):
                given = [*node.args, *(keyword.value for keyword in node.keywords)]
                texts_of = [one.value for one in given if isinstance(one, ast.Constant)]
                found |= {t for t in texts_of if isinstance(t, str) and t.isupper()}
    return found - {"CASH", "POSITION"}  # what an account held before its first report


def test_the_runbook_has_every_alarm() -> None:
    page = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `([A-Z_]+)`", page, flags=re.MULTILINE))
    assert len(alarm_codes()) >= 10
    assert alarm_codes() <= listed


def test_every_make_target_of_the_readme_exists() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, flags=re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)", readme)) <= targets
    assert {"demo", "test", "check", "bench", "lock"} <= targets


def test_every_picture_is_shown_by_a_document() -> None:
    shown = documentation()
    pictures = [path.name for path in (ROOT / "docs" / "pictures").iterdir()]
    assert [name for name in pictures if f"pictures/{name})" not in shown] == []


def test_nothing_but_pictures_is_committed_as_bytes() -> None:
    """What is built or downloaded stays out: a reader can read all that is here."""
    others = set(files()) - set(texts())
    assert {path for path in others if path.parent != Path("docs/pictures")} == set()


def test_the_build_machine_runs_the_test_command_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    run = [line for line in script.splitlines() if re.search(r"^(within .*)?\bmake test", line)]
    assert run[0] == "make test"
    assert [line.split()[-1] for line in run[1:]] == [
        "test-postgres-core", "test-cluster", "test-postgres-rest",
    ]  # fmt: skip
    assert "\n    make test\n" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_test_that_wants_postgresql_is_run_on_it() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipes = re.findall(r"^test-postgres-\w+:.*\n((?:\t.*\n)+)", makefile, flags=re.M)
    run = re.findall(r"tests/[\w/]+(?:\.py)?", "".join(recipes))
    marked = [str(path) for path, text in texts().items() if "pytest.mark.postgres" in text]
    ours = [path for path in marked if "/house/" not in path]
    assert len(ours) > 5
    assert [path for path in ours if not any(path.startswith(one) for one in run)] == []


def test_no_file_names_a_package_index() -> None:
    found = [(path, host) for path, text in texts().items() for host in INDEX_HOSTS if host in text]
    assert found == []


def test_the_lock_pins_every_package_by_hash_and_names_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert LOCK_ADDRESS.findall(lock) == []
    entries = re.split(r"\n(?=[a-z0-9])", re.sub(r"^#.*\n", "", lock, flags=re.MULTILINE))
    assert len(entries) > 50
    assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []


def test_no_file_names_a_folder_of_one_machine() -> None:
    folder = re.compile("/" + "work/")
    assert [path for path, text in texts().items() if folder.search(text)] == []


def test_every_decision_says_why() -> None:
    pages = [path for path in texts() if path.parent == Path("docs/decisions")]
    assert pages
    for page in pages:
        assert re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", page.name)
        for heading in ("## Context", "## Decision", "## Consequences", "## Alternatives"):
            assert heading in texts()[page], f"{page}: expected {heading}"


def test_no_change_is_told_twice() -> None:
    """By its first words: of two versions of a line that merged, only one was meant to stay."""
    log = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    begun = [line[:60] for line in log.splitlines() if line.startswith("- ")]
    assert [one for one in dict.fromkeys(begun) if begun.count(one) > 1] == []
