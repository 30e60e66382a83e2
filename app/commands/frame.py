"""What every verb shares: examples in its help, data on stdout, talk on stderr, one way to ask."""

import asyncio
import inspect
import io
import json
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.status import Status
from rich.table import Table

from app.config import Config
from app.config_sources import load_config
from app.errors import GuardError, UsageError
from app.operating.steps import Steps

T = TypeVar("T")
Verb = TypeVar("Verb", bound=Callable[..., None])
PIPE_WIDTH = 1_000

ConfigFile = Annotated[Path | None, typer.Option("--config", help="The TOML file to read.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Stop after the preview.")]
ArbId = Annotated[str, typer.Argument(metavar="ID", help="An arbitrage, or how its id begins.")]


@dataclass(slots=True)
class Talk:
    """How much to say: `verbose` shows tracebacks, `quiet` only data and errors."""

    verbose: bool = False
    quiet: bool = False


talk = Talk()


def verb(app: typer.Typer, name: str, *examples: str, **settings: Any) -> Callable[[Verb], Verb]:
    """Register a command. Its help opens with one sentence and the examples, each written as
    "arguments: what they do"; then comes the rest of the docstring."""

    def register(function: Verb) -> Verb:
        summary, _, rest = (inspect.getdoc(function) or "").partition("\n")
        lines = ["\b", "Examples:"]
        width = max(len(example.partition(": ")[0]) for example in examples)
        for example in examples:
            arguments, _, does = example.partition(": ")
            lines.append(f"  lockstep {arguments.ljust(width)}  {does}")
        text = "\n\n".join([summary, "\n".join(lines), rest.strip()]).rstrip()
        app.command(name, help=text, **settings)(function)
        return function

    return register


def group(app: typer.Typer, name: str, summary: str) -> typer.Typer:
    """A family of commands under one name."""
    below = typer.Typer(help=summary, no_args_is_help=True, rich_markup_mode=None)
    app.add_typer(below, name=name)
    return below


def load(config_file: Path | None, *, trades: bool = True) -> Config:
    """The configuration; see `load_config`."""
    return load_config(config_file=config_file, trades=trades).config


def run(work: Coroutine[Any, Any, T]) -> T:
    """Carry one command out on an event loop of its own."""
    return asyncio.run(work)


def say(words: str) -> None:
    """Talk: a line on stderr."""
    if not talk.quiet:
        typer.echo(words, err=True)


def emit(told: BaseModel, as_json: bool, *shown: Table | str) -> None:
    """Data on stdout: one JSON object, or the tables and lines for a person."""
    if as_json:
        sys.stdout.write(json.dumps(told.model_dump(mode="json"), ensure_ascii=False) + "\n")
        return
    if sys.stdout.isatty():
        console = Console(highlight=False, markup=False)
        for one in shown:
            console.print(one)
        return
    # A pipe or a file has no width: nothing is wrapped or cut, and lines carry no padding.
    console = Console(file=io.StringIO(), width=PIPE_WIDTH, highlight=False, markup=False)
    with console.capture() as captured:
        for one in shown:
            console.print(one)
    sys.stdout.write("".join(line.rstrip() + "\n" for line in captured.get().splitlines()))


def table(*columns: str, right: str = "") -> Table:
    """A plain table; the columns named in `right` hold numbers."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        numeric = column in right.split()
        made.add_column(column, justify="right" if numeric else "left", no_wrap=numeric)
    return made


def working(words: str) -> Status:
    """Say on stderr that something takes a while, until the block ends."""
    console = Console(stderr=True, quiet=talk.quiet)
    if not console.is_terminal:
        say(words)
    return console.status(words)


@contextmanager
def in_steps(total: int) -> Iterator[Steps]:
    """Say on stderr which step of `total` is being done, until the block ends; how far it is within
    a step is seen on a terminal only."""
    console = Console(stderr=True, quiet=talk.quiet)
    if not console.is_terminal:
        yield Steps(total, say, lambda _: None)
        return
    with console.status("") as status:
        yield Steps(total, status.update, status.update)


def confirm(question: str, *, yes: bool) -> None:
    """Ask on the terminal, where no is the answer to Enter. GuardError where the answer is no,
    UsageError where there is nobody to ask."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(f"{question} There is no terminal to ask on: add --yes to do it")
    if not typer.confirm(question, default=False, err=True):
        raise GuardError("you said no: nothing was changed")


def confirm_word(question: str, expected: str, word: str) -> None:
    """Have the word typed out, or given as `--word`; as `confirm`."""
    if not word:
        if not sys.stdin.isatty():
            raise UsageError(f"{question} There is no terminal to ask on: add `--word {expected}`")
        word = typer.prompt(f"{question} Type {expected} to go on", err=True)
    if word != expected:
        raise GuardError(f"{question} Expected the word {expected}: add `--word {expected}`")
