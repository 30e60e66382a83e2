"""Where a journal lives: a SQLite file, or a schema of a PostgreSQL database."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias
from urllib.parse import parse_qs, urlsplit

SCHEMES = ("postgresql", "postgres")


@dataclass(frozen=True, slots=True)
class SchemaAddress:
    """A schema of a PostgreSQL database. `url` (postgresql://user:password@host:port/database)
    holds a password: only `str()` of an address may be shown."""

    url: str = field(repr=False)
    schema: str

    def __str__(self) -> str:
        parts = urlsplit(self.url)
        socket = parse_qs(parts.query).get("host", ["localhost"])[0]
        host = parts.hostname or socket
        port = f":{parts.port}" if parts.port else ""
        return f"postgresql://{host}{port}{parts.path}, schema {self.schema}"


Place: TypeAlias = Path | SchemaAddress


def expected_of(url: str) -> str | None:
    """What is wrong with an address, in words that repeat nothing of it; None where it is well."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it checks it
    except ValueError:
        return "expected an address, found one whose host or port cannot be read"
    if parts.scheme not in SCHEMES:
        return "expected an address that starts with postgresql://"
    if not parts.path.strip("/"):
        return "expected the name of a database at the end: postgresql://user@host:5432/NAME"
    return None
