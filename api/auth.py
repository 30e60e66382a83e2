"""Who asks: a session's cookie, a script's bearer token, or nobody where none is needed."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from api.limits import RateLimit
from api.lockout import lockout
from api.options import ApiOptions
from api.problems import Problem
from store import credentials
from store.audit import Act
from store.credentials import Credential, CredentialKind
from store.errors import JournalBusy
from store.journal import Journal
from store.states import Scope

log = logging.getLogger(__name__)

SESSION_MS = 12 * 3_600_000
LOGIN_BURST, LOGIN_EVERY_MS = 5, 12_000
"""Of one address."""
LOGINS_BURST, LOGINS_EVERY_MS = 20, 3_000
"""Of all addresses together, passwords alone: a one-time link cannot be guessed."""
LOCKOUT_EVERY_MS = 60_000
COMMAND_BURST, COMMAND_EVERY_MS = 10, 100
SCRAPE_SECONDS = 1
"""A server that says nothing is given up later than a scrape is."""
_ORDER = {Scope.READ: 0, Scope.TRADE: 1, Scope.ADMIN: 2}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who acts, through what, and how far: what the audit trail will say."""

    actor: str
    origin: str
    scope: Scope
    secret: str | None = None
    kind: CredentialKind | None = None

    def act(self, now_ms: int) -> Act:
        """An act of this caller now."""
        return Act(self.actor, self.origin, now_ms)

    def need(self, scope: Scope) -> None:
        """Raise Problem 403 unless the caller may do that."""
        if _ORDER[self.scope] < _ORDER[scope]:
            raise Problem(403, "scope", f"expected scope {scope}, found {self.scope}")


class Auth:
    """Sessions and tokens live in the journal, so that they outlive this process."""

    def __init__(self, journal: Journal, options: ApiOptions, wall_ms: Callable[[], int]) -> None:
        self._journal = journal
        self._options = options
        self._wall_ms = wall_ms
        self._logins = RateLimit(LOGIN_BURST, LOGIN_EVERY_MS, wall_ms)
        self._passwords = RateLimit(LOGINS_BURST, LOGINS_EVERY_MS, wall_ms)
        self._lockout_ms = 0
        self._commands = RateLimit(COMMAND_BURST, COMMAND_EVERY_MS, wall_ms)
        self._scrapers: dict[str, Caller] = {}

    @property
    def cookie(self) -> str:
        """The cookie's name: over TLS bound to this very host."""
        return "__Host-lockstep" if self._options.secure else "lockstep_session"

    async def caller(self, headers: Mapping[str, str], cookies: Mapping[str, str]) -> Caller | None:
        """Who asks; None where a login is needed."""
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            found = await self._find(token.strip(), CredentialKind.TOKEN)
            return _caller(found, "api", token.strip()) if found else None
        if secret := cookies.get(self.cookie):
            found = await self._find(secret, CredentialKind.SESSION)
            if found is not None:
                return _caller(found, "dashboard", secret)
        if self._options.login_required:
            return None
        return Caller("local", "dashboard", Scope.ADMIN)

    async def scraper(
        self, headers: Mapping[str, str], cookies: Mapping[str, str], *, readable: bool
    ) -> Caller | None:
        """As `caller`, for numbers alone. The journal keeps the tokens, and that it cannot be read
        is what a scrape has to tell: then a token counts that was good when it last was asked for.
        Nobody can take it back meanwhile."""
        kind, _, token = headers.get("authorization", "").partition(" ")
        name = credentials.digest(token.strip())
        known = self._scrapers.get(name) if kind.lower() == "bearer" else None
        if known is not None and not readable:
            return known
        try:
            async with asyncio.timeout(None if known is None else SCRAPE_SECONDS):
                found = await self.caller(headers, cookies)
        except (JournalBusy, TimeoutError):
            if known is None:
                raise
            return known
        self._scrapers.pop(name, None)
        if found is not None and found.kind is CredentialKind.TOKEN:
            self._scrapers[name] = replace(found, scope=Scope.READ)
        return found

    async def still(self, caller: Caller) -> bool:
        """Whether the credential of a long connection is still valid."""
        if caller.secret is None or caller.kind is None:
            return not self._options.login_required
        return await self._find(caller.secret, caller.kind) is not None

    def limit_command(self, caller: Caller) -> None:
        """Raise Problem 429 where commands come faster than ten a second."""
        wait_ms = self._commands.take(caller.secret or caller.actor)
        if wait_ms:
            _too_many("commands", wait_ms)

    async def log_in(self, password: str, peer: str) -> str:
        """The secret of a new session; Problem 401 or 429."""
        if wait_ms := self._logins.take(peer):
            await self._lock_out(peer, wait_ms)
        if wait_ms := self._passwords.take("all"):
            await self._lock_out("all addresses together", wait_ms)
        if not await asyncio.to_thread(_verify, self._options.password_hash, password):
            act = Act("unknown", f"login {peer}", self._wall_ms())
            await self._journal.audit(act, "login_refused", "session", {"from": peer})
            raise Problem(401, "wrong_password", "The password is not the one that was set.")
        return await self._open("operator", f"login {peer}")

    async def follow_link(self, secret: str, peer: str) -> str | None:
        """The secret of a new session for a one-time link; None where it is spent or unknown."""
        wait_ms = self._logins.take(peer)
        if wait_ms:
            _too_many("logins", wait_ms)
        now_ms = self._wall_ms()
        found = await self._journal.write(now_ms, lambda s: credentials.use_once(s, secret, now_ms))
        return None if found is None else await self._open(found.actor, f"link {peer}")

    async def _lock_out(self, peer: str, wait_ms: int) -> None:
        """Refuse a login that comes too soon, and tell of it at most once a minute. A journal that
        is busy lets nobody try faster."""
        now_ms = self._wall_ms()
        if now_ms - self._lockout_ms >= LOCKOUT_EVERY_MS:
            try:
                await self._journal.raise_alarm(lockout(peer), now_ms)
                self._lockout_ms = now_ms
            except JournalBusy as busy:
                log.warning("logins from %s are refused and not alarmed: %s", peer, busy)
        _too_many("logins", wait_ms)

    async def log_out(self, caller: Caller) -> None:
        """End the session. A script's token is none: it lives until its owner revokes it."""
        if caller.secret is not None and caller.kind is CredentialKind.SESSION:
            secret, act = caller.secret, caller.act(self._wall_ms())
            await self._journal.write(act.at_ms, lambda s: credentials.end(s, secret, act))

    async def _find(self, secret: str, kind: CredentialKind) -> Credential | None:
        now_ms = self._wall_ms()
        return await self._journal.read(lambda s: credentials.find(s, secret, kind, now_ms))

    async def _open(self, actor: str, origin: str) -> str:
        secret = secrets.token_urlsafe(32)
        act = Act(actor, origin, self._wall_ms())
        await self._journal.write(
            act.at_ms,
            lambda s: credentials.add(
                s, secret, CredentialKind.SESSION, actor, Scope.ADMIN, act, SESSION_MS
            ),
        )
        return secret


def hash_password(password: str) -> str:
    """What the configuration keeps of a password."""
    return PasswordHasher().hash(password)


def _verify(password_hash: str | None, password: str) -> bool:
    if password_hash is None:
        return False
    try:
        return PasswordHasher().verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def _caller(found: Credential, origin: str, secret: str) -> Caller:
    return Caller(found.actor, origin, found.scope, secret, found.kind)


def _too_many(what: str, wait_ms: int) -> None:
    seconds = str(-(-wait_ms // 1000))
    raise Problem(
        429,
        "too_many",
        f"Too many {what}: try again in {seconds} s",
        headers={"Retry-After": seconds},
    )
