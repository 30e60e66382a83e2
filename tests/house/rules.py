"""Each rule reads one parsed file and yields what breaks it, as `path:line: what`."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MAY_IMPORT = {
    "domain": set(),
    "venues": {"domain"},
    "store": {"domain"},
    "sim": set(),
    "markets": {"domain", "venues", "store"},
    "activities": {"domain", "venues", "store"},
    "workflows": {"domain", "activities"},
    "api": {"domain", "store", "workflows"},
    "notify": {"domain", "store"},
    "app": {
        "domain", "venues", "store", "sim", "markets", "activities", "workflows", "api", "notify",
    },
}  # fmt: skip
ROOMS = frozenset(MAY_IMPORT) | {"tests"}
ONLY_MODULE = {("activities", "venues"): "venues.port"}
NO_FLOAT = {"domain", "store", "venues"}
IMPURE_MODULES = {
    "asyncio", "getpass", "httpx", "locale", "os", "pathlib", "platform", "random", "requests",
    "secrets", "select", "selectors", "socket", "ssl", "subprocess", "threading", "time", "urllib",
    "uuid", "websockets",
}  # fmt: skip
CLOCKS = {
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time",
    "time.time_ns", "time.monotonic", "time.monotonic_ns", "time.perf_counter",
}  # fmt: skip
NOT_IN_WORKFLOWS = CLOCKS | {
    "asyncio.wait", "asyncio.as_completed", "uuid.uuid1", "uuid.uuid4", "os.urandom",
}  # fmt: skip
NOT_IMPORTED_IN_WORKFLOWS = {"random", "secrets", "socket", "httpx", "time", "uuid", "websockets"}
SQLITE_CHOSEN_IN = {"store/driver.py", "tests/support/driver.py"}
FUNCTION_LINES = 60
MODULE_LINES = 350
LINE_CHARACTERS = 100
MARKERS = ("TO" + "DO", "FIX" + "ME", "XX" + "X:")


@dataclass(frozen=True, slots=True)
class Source:
    """One Python file: its path in the repository, its text and its tree."""

    path: Path
    text: str
    tree: ast.Module

    @classmethod
    def parse(cls, path: str, text: str) -> "Source":
        """A file from its text."""
        return cls(Path(path), text, ast.parse(text))

    @property
    def room(self) -> str:
        """The top-level package, or "" for a file outside every room."""
        return self.path.parts[0] if len(self.path.parts) > 1 else ""

    def at(self, node: ast.stmt | ast.expr, what: str) -> str:
        """A finding at a node."""
        return f"{self.path}:{node.lineno}: {what}"


def imports(source: Source) -> Iterator[tuple[ast.stmt, str]]:
    """Every imported module by its dotted name; `from a import b` yields `a.b`."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)


def forbidden_imports(source: Source) -> Iterator[str]:
    """A room imports only the rooms below it that the architecture names."""
    if source.room not in MAY_IMPORT:
        return
    for node, name in imports(source):
        top = name.split(".")[0]
        if top not in ROOMS or top == source.room:
            continue
        if top not in MAY_IMPORT[source.room]:
            yield source.at(node, f"{source.room} may not import {top}")
        only = ONLY_MODULE.get((source.room, top))
        if only and not (name + ".").startswith(only + "."):
            yield source.at(node, f"{source.room} may import only {only} of {top}, not {name}")


def third_parties_in_domain(source: Source) -> Iterator[str]:
    """The domain stands on the standard library alone."""
    if source.room == "domain":
        for node, name in imports(source):
            top = name.split(".")[0]
            if top != "domain" and top not in sys.stdlib_module_names:
                yield source.at(node, f"domain uses the standard library only, not {top}")


def second_sqlite(source: Source) -> Iterator[str]:
    """One SQLite library per process: two would close each other's file locks."""
    if source.path.as_posix() not in SQLITE_CHOSEN_IN:
        for node, name in imports(source):
            if name.split(".")[0] in {"sqlite3", "pysqlite3"}:
                yield source.at(node, f"take SQLite from a driver module, not {name}")


def impure_domain(source: Source) -> Iterator[str]:
    """No clock, randomness, network, file or environment decides about money."""
    if source.room != "domain":
        return
    for node, name in imports(source):
        if name.split(".")[0] in IMPURE_MODULES:
            yield source.at(node, f"domain may not use {name}")
    for reference in ast.walk(source.tree):
        if isinstance(reference, ast.Attribute) and dotted(reference) in CLOCKS:
            yield source.at(reference, f"domain may not read {dotted(reference)}")
        if isinstance(reference, ast.Name) and reference.id in {"open", "input"}:
            yield source.at(reference, f"domain may not call {reference.id}")


def floats(source: Source) -> Iterator[str]:
    """Money is never binary floating point: no literal, no conversion, no annotation."""
    if source.room not in NO_FLOAT:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield source.at(node, f"float literal {node.value}")
        if isinstance(node, ast.Name) and node.id == "float":
            yield source.at(node, "float")


def nondeterminism_in_workflows(source: Source) -> Iterator[str]:
    """What replays must decide alike: passed-through modules escape Temporal's own sandbox."""
    if source.room != "workflows":
        return
    for node, name in imports(source):
        if name.split(".")[0] in NOT_IMPORTED_IN_WORKFLOWS or name in NOT_IN_WORKFLOWS:
            yield source.at(node, f"a workflow may not import {name}")
    for reference in ast.walk(source.tree):
        if isinstance(reference, ast.Attribute) and dotted(reference) in NOT_IN_WORKFLOWS:
            yield source.at(reference, f"a workflow may not use {dotted(reference)}")


def long_functions(source: Source) -> Iterator[str]:
    """A function fits on one screen."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                yield source.at(node, f"{node.name} has {lines} lines, at most {FUNCTION_LINES}")


def long_modules(source: Source) -> Iterator[str]:
    """A module is one thought."""
    lines = source.text.count("\n")
    if lines > MODULE_LINES:
        yield f"{source.path}:1: {lines} lines, at most {MODULE_LINES}"


def missing_docstring(source: Source) -> Iterator[str]:
    """Every module says what lives there."""
    if source.room in MAY_IMPORT and not ast.get_docstring(source.tree):
        yield f"{source.path}:1: no module docstring"


def long_lines(path: Path, text: str) -> Iterator[str]:
    """No line is wider than a reader's window."""
    for number, line in enumerate(text.splitlines(), start=1):
        if len(line) > LINE_CHARACTERS:
            yield f"{path}:{number}: {len(line)} characters, at most {LINE_CHARACTERS}"


def markers(path: Path, text: str) -> Iterator[str]:
    """Unfinished work is an issue, not a comment."""
    for number, line in enumerate(text.splitlines(), start=1):
        yield from (f"{path}:{number}: {mark}" for mark in MARKERS if mark in line)


def dotted(node: ast.expr) -> str:
    """The last two names of a reference: `datetime.datetime.now` is `datetime.now`."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value).split('.')[-1]}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


PYTHON_RULES = (
    forbidden_imports,
    third_parties_in_domain,
    second_sqlite,
    impure_domain,
    floats,
    nondeterminism_in_workflows,
    long_functions,
    long_modules,
    missing_docstring,
)
