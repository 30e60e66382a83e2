"""Credentials by the hash of their secret: sessions, one-time links and bearer tokens."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from sqlmodel import Session, col, select

from store import audit
from store.audit import Act
from store.states import Scope
from store.tables import CredentialRow


class CredentialKind(StrEnum):
    """How it is used: a cookie, a link that works once, or a header of scripts."""

    SESSION = "session"
    LINK = "link"
    TOKEN = "token"  # noqa: S105 - the word, not a secret


@dataclass(frozen=True, slots=True)
class Credential:
    """A valid credential. `number` names it in lists and is no secret."""

    number: str
    kind: CredentialKind
    actor: str
    scope: Scope


def digest(secret: str) -> str:
    """What is stored of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def add(
    session: Session,
    secret: str,
    kind: CredentialKind,
    actor: str,
    scope: Scope,
    act: Act,
    lifetime_ms: int | None = None,
) -> None:
    """Store a new credential for `lifetime_ms` milliseconds, None for as long as it is kept."""
    session.add(
        CredentialRow(
            hash=digest(secret),
            kind=kind,
            actor=actor,
            scopes=scope,
            created_ms=act.at_ms,
            expires_ms=None if lifetime_ms is None else act.at_ms + lifetime_ms,
        )
    )
    audit.record(session, act, f"add_{kind}", f"credential/{actor}", {"scope": scope})


def find(session: Session, secret: str, kind: CredentialKind, now_ms: int) -> Credential | None:
    """The credential of this secret while it is valid."""
    row = session.get(CredentialRow, digest(secret))
    if row is None or row.kind != kind or row.ended_ms is not None:
        return None
    if row.expires_ms is not None and row.expires_ms <= now_ms:
        return None
    return Credential(row.hash[:12], kind, row.actor, Scope(row.scopes))


def use_once(session: Session, secret: str, now_ms: int) -> Credential | None:
    """The link of this secret, which is spent by it."""
    found = find(session, secret, CredentialKind.LINK, now_ms)
    if found is not None:
        session.get_one(CredentialRow, digest(secret)).ended_ms = now_ms
    return found


def end(session: Session, secret: str, act: Act) -> None:
    """The credential works no longer: logged out."""
    row = session.get(CredentialRow, digest(secret))
    if row is not None and row.ended_ms is None:
        row.ended_ms = act.at_ms
        audit.record(session, act, f"end_{row.kind}", f"credential/{row.actor}", {})


def revoke(session: Session, actor: str, act: Act) -> int:
    """End everything that this actor holds; returns how many there were."""
    rows = select(CredentialRow).where(
        CredentialRow.actor == actor, col(CredentialRow.ended_ms).is_(None)
    )
    number = 0
    for row in session.exec(rows):
        row.ended_ms = act.at_ms
        number += 1
    if number:
        audit.record(session, act, "revoke", f"credential/{actor}", {"number": number})
    return number
