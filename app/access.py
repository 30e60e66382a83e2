"""Who may use the dashboard: one-time links, bearer tokens, the password's hash."""

import secrets
from collections.abc import Callable
from typing import TypeVar

from sqlmodel import Session

from api.auth import hash_password
from app.config import Config
from app.errors import UsageError
from app.links import open_journal, wall_ms
from store import credentials
from store.audit import Act
from store.credentials import CredentialKind
from store.states import Scope

T = TypeVar("T")
LINK_MS = 10 * 60_000
PASSWORD_MIN = 12


def login_link(config: Config, base_url: str | None) -> str:
    """A link that logs in once, within ten minutes."""
    if base_url is None and config.api.port == 0:
        raise UsageError(
            "login-url: expected a fixed api.port or --base-url, found api.port 0: "
            "give the address that `lockstep run` printed"
        )
    base = base_url or f"http://{config.api.host}:{config.api.port}"
    secret = secrets.token_urlsafe(32)
    act = _act()
    _write(
        config,
        lambda s: credentials.add(
            s, secret, CredentialKind.LINK, "operator", Scope.ADMIN, act, LINK_MS
        ),
    )
    return f"{base.rstrip('/')}/login?token={secret}"


def add_token(config: Config, name: str, scope: Scope) -> str:
    """A bearer token for scripts; it is shown this once and stored nowhere."""
    secret = f"lockstep_{secrets.token_urlsafe(32)}"
    act = _act()
    _write(
        config,
        lambda s: credentials.add(s, secret, CredentialKind.TOKEN, name, scope, act),
    )
    return secret


def revoke(config: Config, name: str) -> int:
    """End every token and session of this name; returns how many there were."""
    act = _act()
    return _write(config, lambda s: credentials.revoke(s, name, act))


def password_hash(password: str) -> str:
    """What `api.password_hash` takes."""
    if len(password) < PASSWORD_MIN:
        raise UsageError(
            f"password: expected at least {PASSWORD_MIN} characters, found {len(password)}"
        )
    return hash_password(password)


def _act() -> Act:
    return Act("operator", "cli", wall_ms())


def _write(config: Config, work: Callable[[Session], T]) -> T:
    journal = open_journal(config)
    try:
        return journal.database.write_here(work)
    finally:
        journal.close()
