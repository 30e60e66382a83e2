"""Record the golden histories: `python -m tests.workflows.record_histories [NAME...]`.

One file per play under tests/histories/, from real runs; without a name those that have none yet.
A file stays as it is, for runs like it may still be open somewhere: what is there is not recorded
anew, and SHA256SUMS (`sha256sum -c` reads it) holds what each was when it came. After a change that
patches the saga the older run keeps its file under another name, and FROM_OLDER says of what. Stack
traces are left out: they would name files of this machine, and a replay does not read them.
"""

import asyncio
import hashlib
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.temporal import Server, ServerOptions, start_server, stop_server
from tests.support.processes import ROOT, Child, run_sim
from tests.support.scene import Scene
from tests.support.temporal import connect_to
from tests.support.trading import SETTLING
from tests.workflows.plays import PLAYS, ScenePlay

HISTORIES = ROOT / "tests" / "histories"
SUMS = HISTORIES / "SHA256SUMS"


async def record(server: Server, sim: Child, plays: Mapping[str, ScenePlay]) -> None:
    """Play each once and write its history."""
    client = await connect_to(server.address, server.namespace, identity="recorder")
    for number, (name, play) in enumerate(plays.items(), start=1):
        with tempfile.TemporaryDirectory() as folder:
            queue = f"golden-{name}"
            scene = Scene(sim.ready, client, queue, f"{queue}-", Path(folder))
            async with scene.hire() as desk:
                await desk.control.knobs("polymarket", **SETTLING)
            handle = await play(scene, f"p{number:02d}")
            history = without_traces((await handle.fetch_history()).to_json_dict())
        write(HISTORIES / f"{name}.json", history)


def write(path: Path, history: Any) -> None:
    """One golden file, an event to a line."""
    path.parent.mkdir(exist_ok=True)
    events = ",\n".join(json.dumps(event) for event in history["events"])
    path.write_text(f'{{"events": [\n{events}\n]}}\n', encoding="utf-8")
    with SUMS.open("a", encoding="utf-8") as sums:
        sums.write(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")


def without_traces(value: Any) -> Any:
    """The same JSON without any `stackTrace`."""
    if isinstance(value, dict):
        return {k: without_traces(v) for k, v in value.items() if k != "stackTrace"}
    if isinstance(value, list):
        return [without_traces(one) for one in value]
    return value


async def main(wanted: list[str]) -> None:
    """Everything of its own: servers, exchanges, journals."""
    found = wanted or [name for name in PLAYS if not (HISTORIES / f"{name}.json").exists()]
    if there := [name for name in found if (HISTORIES / f"{name}.json").exists()]:
        raise SystemExit(f"recorded before, and kept: {', '.join(there)}; rename the older first")
    server = await start_server(ServerOptions(ui=False))
    try:
        with run_sim("--seed", "7", "--pairs", "50") as sim:
            await record(server, sim, {name: PLAYS[name] for name in found})
    finally:
        await stop_server(server)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
