"""Static configuration: what needs a restart to change. Bets and limits live in the database.

The sources and their order are in `config_sources`; every key is described in
docs/configuration.md. Times are whole milliseconds, money and steps are Decimal.
"""

import os
import re
import sys
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_core import from_json

from app.config_base import Milliseconds, Section
from app.config_trading import SettingsSection, TradeSection
from domain.pair import Confidence, Pair
from domain.venue import Mode
from store.place import Place, SchemaAddress, expected_of


def _text(pattern: str, expected: str) -> Callable[[str], str]:
    """A validator for text of one form; it never repeats what it was given."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"expected {expected}")
        return value

    return check


def _url(*schemes: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if urlsplit(value).scheme not in schemes or not urlsplit(value).netloc:
            raise ValueError(f"expected an address that starts with {' or '.join(schemes)}://")
        return value.rstrip("/")

    return check


def _ethereum_key(value: SecretStr) -> SecretStr:
    _text("(0x)?[0-9a-fA-F]{64}", "a private key of 64 hex digits")(value.get_secret_value())
    return value


def _kalshi_key(value: SecretStr) -> SecretStr:
    """An RSA or Ed25519 private key in PEM, unencrypted."""
    try:
        key = load_pem_private_key(value.get_secret_value().encode(), password=None)
    except (ValueError, TypeError):
        raise ValueError("expected an unencrypted private key in PEM") from None
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise ValueError("expected an RSA or Ed25519 private key in PEM")
    return value


def _balance_step(value: Decimal) -> Decimal:
    if value not in (Decimal("0.0001"), Decimal("0.01")):
        raise ValueError('expected "0.0001" (direct member) or "0.01" (through a broker)')
    return value


BalanceStep = Annotated[Decimal, AfterValidator(_balance_step)]
HttpUrl = Annotated[str, AfterValidator(_url("https", "http"))]
WebSocketUrl = Annotated[str, AfterValidator(_url("wss", "ws"))]
Address = Annotated[str, AfterValidator(_text("[^:/ ]+:[0-9]{1,5}", "host:port"))]
Name = Annotated[str, AfterValidator(_text("[A-Za-z0-9_.-]{1,64}", "1 to 64 of A-Z a-z 0-9 _ . -"))]
Hex32 = Annotated[str, AfterValidator(_text("0x[0-9a-fA-F]{64}", "0x and 64 hex digits"))]
Wallet = Annotated[str, AfterValidator(_text("0x[0-9a-fA-F]{40}", "0x and 40 hex digits"))]
TokenId = Annotated[str, AfterValidator(_text("[0-9]{1,78}", "a decimal token id, quoted"))]
Ticker = Annotated[str, AfterValidator(_text("[A-Z0-9][A-Z0-9.-]*", "a Kalshi market ticker"))]
Port = Annotated[int, Field(ge=0, le=65_535)]


class TemporalSection(Section):
    """Which Temporal server to use; without an address one is started here."""

    address: Address | None = None
    namespace: Name = "default"
    task_queue: Name = "arb-exec"
    port: Port = 0
    ui_port: Port = 0
    ui_url: HttpUrl | None = None


def _postgresql(value: SecretStr) -> SecretStr:
    if wrong := expected_of(value.get_secret_value()):
        raise ValueError(wrong)
    return value


SchemaName = Annotated[
    str, AfterValidator(_text("[a-z_][a-z0-9_]{0,53}", "1 to 54 of a-z 0-9 _, no digit first"))
]


class DatabaseSection(Section):
    """Where the journal lives: a SQLite file, or with `url` a schema of a PostgreSQL database."""

    path: Path | None = None
    url: Annotated[SecretStr, AfterValidator(_postgresql)] | None = None
    url_file: Path | None = None
    schema_name: SchemaName | None = None


class Timeouts(Section):
    """How long a venue may take, in milliseconds: to connect, to answer, to answer an order."""

    connect_ms: Milliseconds = 2_000
    read_ms: Milliseconds = 5_000
    order_ms: Milliseconds = 10_000


class PolymarketSection(Section):
    """Polymarket: CLOB V2 addresses, wallet and API credentials."""

    clob_url: HttpUrl = "https://clob.polymarket.com"
    gamma_url: HttpUrl = "https://gamma-api.polymarket.com"
    data_url: HttpUrl = "https://data-api.polymarket.com"
    ws_url: WebSocketUrl = "wss://ws-subscriptions-clob.polymarket.com/ws"
    chain_id: int = 137
    private_key: Annotated[SecretStr, AfterValidator(_ethereum_key)] | None = None
    private_key_file: Path | None = None
    api_key: SecretStr | None = None
    secret: SecretStr | None = None
    passphrase: SecretStr | None = None
    funder: Wallet | None = None
    signature_type: Annotated[int, Field(ge=0, le=3)] = 3
    timeouts: Timeouts = Timeouts()


class KalshiSection(Section):
    """Kalshi: addresses and API key. `balance_precision` is the step that the account's balance
    moves in: 0.0001 for direct members, 0.01 through a broker."""

    base_url: HttpUrl = "https://external-api.kalshi.com/trade-api/v2"
    ws_url: WebSocketUrl = "wss://external-api-ws.kalshi.com/trade-api/ws/v2"
    key_id: str | None = None
    private_key_pem: Annotated[SecretStr, AfterValidator(_kalshi_key)] | None = None
    private_key_file: Path | None = None
    balance_precision: BalanceStep = Decimal("0.01")
    timeouts: Timeouts = Timeouts()


def _from_json(value: object) -> object:
    """Lists from the environment are JSON; elsewhere they are lists already."""
    return from_json(value) if isinstance(value, str) else value


HostName = Annotated[str, AfterValidator(_text("[A-Za-z0-9.:-]{1,253}", "a host name, no port"))]


class ApiSection(Section):
    """Where the dashboard and the API listen, under which names, and who may come in. An address
    beyond this machine needs a password and TLS in front (`behind_tls`), or it is a container's
    whose port is published on this machine's loopback only (`published_on_loopback`)."""

    host: str = "127.0.0.1"
    port: Port = 8321
    hosts: Annotated[tuple[HostName, ...], BeforeValidator(_from_json)] = ()
    password_hash: SecretStr | None = None
    behind_tls: bool = False
    published_on_loopback: bool = False


def _bot_token(value: SecretStr) -> SecretStr:
    _text("[0-9]{3,20}:[A-Za-z0-9_-]{20,64}", "a bot token such as 123456:AAE…")(
        value.get_secret_value()
    )
    return value


def _bot_api(value: str) -> str:
    """The token goes there in the address: only encrypted, or within this machine."""
    parts = urlsplit(value)
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
        raise ValueError("expected https://, or http:// on this machine")
    return value


class TelegramUser(Section):
    """A person by Telegram's numeric user id; a viewer asks, a trader also acts."""

    id: Annotated[int, Field(gt=0)]
    role: Literal["viewer", "trader"] = "viewer"


class TelegramSection(Section):
    """The bot that tells and is asked; without a token none is started. `chats` are written to,
    `users` are answered. Groups have negative ids."""

    token: Annotated[SecretStr, AfterValidator(_bot_token)] | None = None
    token_file: Path | None = None
    base_url: Annotated[HttpUrl, AfterValidator(_bot_api)] = "https://api.telegram.org"
    chats: Annotated[tuple[int, ...], BeforeValidator(_from_json)] = ()
    users: Annotated[tuple[TelegramUser, ...], BeforeValidator(_from_json)] = ()
    answer_seconds: Annotated[int, Field(ge=1, le=60)] = 10
    heartbeat_hours: Annotated[int, Field(ge=1, le=168)] = 12
    daily_hour: Annotated[int, Field(ge=0, le=23)] = 0


class LogSection(Section):
    """How much our processes say in their logs."""

    level: Literal["debug", "info", "warning", "error"] = "info"


class CaptureSection(Section):
    """Where an executor writes down the order books that it reads; nowhere without a folder. Each
    start begins a file of its own, of at most so many megabytes."""

    folder: Path | None = None
    mb_max: Annotated[int, Field(ge=1, le=1_000_000)] = 1_000


class TracingSection(Section):
    """Where traces go, by OTLP over HTTP: nowhere while no collector is named."""

    endpoint: HttpUrl | None = None


class PolymarketListing(Section):
    """One question at Polymarket. `token_yes` must be its first outcome: nothing else is bought
    as YES."""

    condition_id: Hex32
    token_yes: TokenId
    token_no: TokenId


class KalshiListing(Section):
    """One question at Kalshi."""

    ticker: Ticker


class ConfiguredPair(Section):
    """The same question at both venues. `reviewed` says that a person compared the rules."""

    id: Name
    title: str
    polymarket: PolymarketListing
    kalshi: KalshiListing
    confidence: Literal["reviewed", "high", "medium", "low"] = "low"

    def to_domain(self) -> Pair:
        """The pair as the rest of the product knows it."""
        level = "high" if self.confidence == "reviewed" else self.confidence
        return Pair(
            pair_id=self.id,
            title=self.title,
            condition_id=self.polymarket.condition_id,
            ticker=self.kalshi.ticker,
            confidence=Confidence(level.upper()),
            token_yes=self.polymarket.token_yes,
            token_no=self.polymarket.token_no,
        )


def default_data_dir(env: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """Our folder among the user's data: XDG_DATA_HOME, else the platform's usual place."""
    if base := env.get("XDG_DATA_HOME"):
        return Path(base) / "lockstep"
    if platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "lockstep"
    return Path.home() / ".local" / "share" / "lockstep"


class Config(Section):
    """The whole static configuration of one installation."""

    mode: Mode = Mode.SIM
    data_dir: Path = Field(default_factory=default_data_dir)
    temporal: TemporalSection = TemporalSection()
    database: DatabaseSection = DatabaseSection()
    polymarket: PolymarketSection = PolymarketSection()
    kalshi: KalshiSection = KalshiSection()
    api: ApiSection = ApiSection()
    telegram: TelegramSection = TelegramSection()
    log: LogSection = LogSection()
    capture: CaptureSection = CaptureSection()
    tracing: TracingSection = TracingSection()
    trade: TradeSection = TradeSection()
    settings: SettingsSection = SettingsSection()
    pairs: Annotated[tuple[ConfiguredPair, ...], BeforeValidator(_from_json)] = ()

    @property
    def journal(self) -> Place:
        """Where the journal is: by default one file, or one schema, per mode."""
        section = self.database
        if section.url is None:
            return self.database_path
        schema = section.schema_name or f"lockstep_{self.mode.value}"
        return SchemaAddress(section.url.get_secret_value(), schema)

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where an installation writes: its data folder, and where the file of its journal is if
        that is another one. Each may be a disk of its own."""
        journal = self.journal
        written = [self.data_dir, *([journal.parent] if isinstance(journal, Path) else [])]
        return tuple(dict.fromkeys(written))

    @property
    def database_path(self) -> Path:
        """The journal's SQLite file: by default one per mode, so that they never mix."""
        return self.database.path or self.data_dir / f"lockstep-{self.mode.value}.sqlite3"
