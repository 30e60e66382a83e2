"""An executor without a scanner as a process of its own, to be killed by a test.

`python -m tests.support.executor` takes one JSON object on the command line: the simulator's ready
line, the data folder, Temporal's address, its own name there and the task queue. It works until it
is ended.
"""

import asyncio
import json
import sys
from pathlib import Path

from app.wiring import worker
from tests.support.desk import open_desk
from tests.support.temporal import connect_to
from tests.support.trading import sim_config


async def run(wanted: dict[str, object]) -> None:
    """Work, after saying so with one line of JSON."""
    ready = wanted["sim"]
    assert isinstance(ready, dict)
    config = await sim_config(ready, Path(str(wanted["data_dir"])))
    client = await connect_to(str(wanted["address"]), identity=str(wanted["identity"]))
    async with open_desk(config) as desk, worker(client, str(wanted["task_queue"]), desk):
        print(json.dumps({"ready": True}), flush=True)  # noqa: T201 - what the parent waits for
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(run(json.loads(sys.argv[1])))
