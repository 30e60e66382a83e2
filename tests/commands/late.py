"""`lockstep db restore`, and an executor that starts while the backup is being loaded."""

import os
import signal
import subprocess
from pathlib import Path

from app.wiring import wall_ms
from store import presence
from store.journal import Journal
from store.place import Place
from tests.support.places import told
from tests.support.stack import LOCKSTEP, Ran


def restored_as_an_executor_starts(where: Place, copy: Path) -> Ran:
    """Nobody lives when the command looks first. It is held where the backup is ready, for as long
    as somebody else takes to start and to report to the journal that is still there."""
    env = {"LOCKSTEP_DATA_DIR": str(copy.parent), "FP": "P24/restore/ready:1:stop", **told(where)}
    command = subprocess.Popen(
        [LOCKSTEP, "db", "restore", str(copy), "--json"],
        cwd=copy.parent,
        env=os.environ | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with command:
        held = os.waitid(os.P_PID, command.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        assert held is not None
        assert held.si_code == os.CLD_STOPPED, command.stderr.read() if command.stderr else ""
        journal = Journal.open(where, wall_ms())
        journal.database.write_here(lambda s: presence.report(s, "executor-2", {}, wall_ms()))
        journal.close()
        command.send_signal(signal.SIGCONT)
        out, err = command.communicate(timeout=60)
    return Ran(command.returncode, out, err)
