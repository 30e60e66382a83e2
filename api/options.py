"""What the composition root chooses for the API."""

from dataclasses import dataclass
from pathlib import Path

from store.kill_file import KillFile


@dataclass(frozen=True, slots=True)
class ApiOptions:
    """`hosts` are the names we answer to; `ui` the folder of templates and static files.

    Without `login_required` whoever reaches the port may do everything: loopback, no real money.
    `password_hash` is argon2's; `secure` marks cookies for TLS only. `kill_file` stops entries
    where the journal cannot. `notifies` says that messages are meant to be fetched.
    """

    ui: Path
    hosts: frozenset[str]
    kill_file: KillFile
    login_required: bool = False
    password_hash: str | None = None
    secure: bool = False
    temporal_ui: str | None = None
    namespace: str = "default"
    version: str = "0"
    notifies: bool = False
