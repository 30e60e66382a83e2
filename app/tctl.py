"""`bin/tctl`: the verbs that fingers remember, translated to the `temporal` command.

The old tool is out of support. What would endanger a live trade is refused with the safe way; the
rest is run, and the new command is named on stderr so that fingers learn it.
"""

import asyncio
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from app.commands import closing
from app.commands.frame import confirm, say
from app.config import Config
from app.config_sources import load_config
from app.errors import DependencyError, GuardError, LockstepError, UsageError
from app.leave import leave
from app.operating.staff import temporal, temporal_address
from app.temporal_binary import ensure_binary
from workflows import names

VERBS = {
    "list": "list", "l": "list", "listall": "list", "la": "list", "scan": "list",
    "count": "count", "cnt": "count",
    "show": "show", "showid": "show", "observe": "show", "ob": "show",
    "describe": "describe", "desc": "describe", "describeid": "describe", "descid": "describe",
    "query": "query", "q": "query", "stack": "stack",
    "signal": "signal", "s": "signal",
    "cancel": "cancel", "c": "cancel",
    "terminate": "terminate", "term": "terminate", "t": "terminate",
    "reset": "reset", "rs": "reset",
}  # fmt: skip
VALUES = {
    "workflow-id": "--workflow_id --wid -w",
    "run-id": "--run_id --rid -r",
    "list-query": "--query -q",
    "query-type": "--query_type --qt",
    "name": "--name -n",
    "input": "--input -i",
    "reason": "--reason --re",
    "event-id": "--event_id --eid",
    "type": "--reset_type",
    "limit": "--pagesize --ps",
}
FLAGS = {
    "follow": "--follow -f",
    "open": "--open --op",
    "closed": "--closed --cl",
    "json": "--print_json --pjson --pj",
    "quiet": "--more -m --print_full --pf --print_raw_time --prt --print_datetime --pdt "
    "--print_memo --pme --print_search_attr --psa --auto_confirm",
}
GLOBALS = {"address": "--address --ad", "namespace": "--namespace --ns"}
SAFE = {
    "cancel": "it sells both legs at any price. `lockstep close {id} --dry-run` says what that "
    "brings, `lockstep close {id} --yes` does it; on a terminal this asks",
    "terminate": "`lockstep close {id}` sells both legs and ends it; a terminated workflow leaves "
    "its position alone until the executor adopts it",
    "reset": "`lockstep retry {id}` sets it going; only --reset_type LastWorkflowTask is let "
    "through",
}
RESET_LET_THROUGH = "LastWorkflowTask"


@dataclass(slots=True)
class Asked:
    """A tctl command line, understood: the verb in new words, values and flags by new name."""

    verb: str
    values: dict[str, str] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)


def parse(argv: Sequence[str]) -> Asked:
    """Understand a tctl command line. UsageError names what is not translated."""
    words, values, flags = _split(argv)
    if not words or words[0] not in ("workflow", "wf"):
        said = f"{words[0]!r}" if words else "nothing"
        raise UsageError(
            f"tctl: expected `tctl workflow VERB`, found {said}: the new command has it as "
            "`temporal operator`, `temporal task-queue`, `temporal batch` or `temporal schedule`"
        )
    old = words[1] if len(words) > 1 else ""
    if old in ("start", "run", "signalWithStart"):
        raise GuardError("tctl: only the executor starts arbitrages, one per opportunity")
    if old == "reset-batch":
        raise GuardError("tctl: never in bulk: `lockstep retry ID` sets one going at a time")
    if old not in VERBS:
        known = ", ".join(dict.fromkeys(VERBS.values()))
        raise UsageError(f"tctl: expected one of {known}, found {old!r}: see `temporal workflow`")
    asked = Asked(VERBS[old], values, flags)
    if old in ("observe", "ob"):
        asked.flags.add("follow")
    if old in ("showid", "describeid", "descid") and len(words) > 2:
        values.setdefault("workflow-id", words[2])
        words = words[:2]
    if len(words) > 2:
        raise UsageError(f"tctl: expected options after {old}, found {words[2]!r}")
    return asked


def translate(asked: Asked) -> list[str]:
    """The arguments of the `temporal` command."""
    new = ["workflow", asked.verb]
    values = dict(asked.values)
    if (query := _list_query(asked)) is not None:
        new += ["--query", query]
    values.pop("list-query", None)
    if asked.verb == "query":
        values["name"] = values.pop("query-type", values.get("name", names.SNAPSHOT))
    for name in ("address", "namespace"):
        values.pop(name, None)
    if asked.verb not in ("terminate", "reset"):
        values.pop("reason", None)
    for name, value in values.items():
        new += [f"--{name}", value]
    if "follow" in asked.flags and asked.verb == "show":
        new.append("--follow")
    if "json" in asked.flags:
        new += ["--output", "json"]
    return new


def refusal(asked: Asked, live: bool) -> str | None:
    """Why it must not be done to a live trade, not unasked at least, and the safe way; None where
    it may."""
    if not live or asked.verb not in SAFE:
        return None
    if asked.verb == "reset" and asked.values.get("type") == RESET_LET_THROUGH:
        return None
    workflow_id = asked.values.get("workflow-id", "ID")
    safe = SAFE[asked.verb].format(id=names.arb_of(workflow_id))
    return f"tctl: {workflow_id} is a live trade and {asked.verb} would endanger it: {safe}"


async def is_live(client: Client, workflow_id: str) -> bool:
    """Whether this is an arbitrage that runs."""
    try:
        found = await client.get_workflow_handle(workflow_id).describe()
    except RPCError as trouble:
        if trouble.status is RPCStatusCode.NOT_FOUND:
            return False
        raise DependencyError(f"tctl: Temporal does not answer: {trouble.message}") from None
    arbitrage = found.workflow_type == names.ARBITRAGE
    return arbitrage and found.status is WorkflowExecutionStatus.RUNNING


def main(argv: Sequence[str]) -> int:
    """Translate, refuse or run; the exit codes are those of `lockstep`."""
    try:
        asked = parse(argv)
        config = _config(asked)
        if asked.verb in SAFE:
            if "workflow-id" not in asked.values:
                raise UsageError(f"tctl: {asked.verb}: expected --workflow_id, found none")
            why = refusal(asked, asyncio.run(_ask(config, asked.values["workflow-id"])))
            if why is not None and asked.verb == "cancel" and sys.stdin.isatty():
                _confirm_sale(config, names.arb_of(asked.values["workflow-id"]))
            elif why is not None:
                raise GuardError(why)
        return _run(config, translate(asked))
    except LockstepError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code


async def _ask(config: Config, workflow_id: str) -> bool:
    return await is_live(await temporal(config), workflow_id)


def _confirm_sale(config: Config, arb_id: str) -> None:
    """What a cancel sells, and what that brings; GuardError where the answer is no."""
    for one in closing.previews(config, arb_id):
        say(closing.preview_line(one))
    confirm("Sell both legs now, at any price?", yes=False)


def _run(config: Config, arguments: list[str]) -> int:
    binary = str(ensure_binary())
    section = config.temporal
    where = ["--address", temporal_address(config), "--namespace", section.namespace]
    sys.stderr.write(f"tctl is out of support; this is: temporal {shlex.join(arguments)}\n")
    sys.stderr.flush()
    return subprocess.run([binary, *arguments, *where], check=False).returncode


def _config(asked: Asked) -> Config:
    """The server that tctl's own options and variables name, else the one of this system."""
    overrides: dict[str, object] = {}
    for name in GLOBALS:
        value = asked.values.get(name) or os.environ.get(f"TEMPORAL_CLI_{name.upper()}")
        if value:
            overrides[f"temporal.{name}"] = value
    return load_config(overrides).config


def _split(argv: Sequence[str]) -> tuple[list[str], dict[str, str], set[str]]:
    """Words, options with a value and options without, by their new names."""
    by_option = {o: new for new, old in (VALUES | GLOBALS).items() for o in old.split()}
    by_flag = {option: new for new, old in FLAGS.items() for option in old.split()}
    words: list[str] = []
    values: dict[str, str] = {}
    flags: set[str] = set()
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        option, equals, given = word.partition("=")
        if option in by_option:
            if not equals and not rest:
                raise UsageError(f"tctl: {option}: expected a value, found none")
            values[by_option[option]] = given if equals else rest.pop(0)
        elif option in by_flag:
            flags.add(by_flag[option])
        elif word.startswith("-"):
            raise UsageError(f"tctl: {word}: expected a known option; see docs/operating.md")
        else:
            words.append(word)
    return words, values, flags


def _list_query(asked: Asked) -> str | None:
    """`list` shows what is closed unless --open is said, as it did; ours are found by query."""
    if asked.verb not in ("list", "count"):
        return None
    if (query := asked.values.get("list-query")) is not None:
        return query
    if "open" in asked.flags:
        return "ExecutionStatus = 'Running'"
    return "ExecutionStatus != 'Running'" if "closed" in asked.flags else None


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
