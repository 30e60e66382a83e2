"""Who may use the API, and what their commands were answered."""

from sqlalchemy import CheckConstraint, Index

from store.tables.columns import (
    STRICT,
    Base,
    Json,
    Key,
    Millis,
    Number,
    OptMillis,
    String,
)


class CredentialRow(Base, table=True):
    """A login session, a one-time link or a bearer token; `hash` is SHA-256 of its secret, which
    is stored nowhere. `scopes` are words separated by spaces."""

    __tablename__ = "credentials"
    __table_args__ = (
        CheckConstraint("kind IN ('session', 'link', 'token')", name="kind_known"),
        Index("ix_credentials_actor", "actor"),
        STRICT,
    )

    hash: Key
    kind: String
    actor: String
    scopes: String
    created_ms: Millis
    expires_ms: OptMillis = None
    ended_ms: OptMillis = None


class CommandResultRow(Base, table=True):
    """What a command with an idempotency key was answered, to be answered again."""

    __tablename__ = "command_results"
    __table_args__ = (Index("ix_command_results_at", "at_ms"), STRICT)

    key: Key
    request_hash: String
    status: Number
    headers: Json
    body: String
    at_ms: Millis
