"""Reads the configuration and knows where every value came from.

Later wins: defaults, TOML file, secrets directory, .env, environment, command line.
"""

import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import get_args

from dotenv import dotenv_values
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from app.config import Config
from app.errors import ConfigError, SharedFileError
from domain.venue import Mode

PREFIX = "LOCKSTEP_"
NOT_SETTINGS = {
    "LOCKSTEP_TEMPORAL_BIN",
    "LOCKSTEP_TEMPORAL_EMBEDDED",
    "LOCKSTEP_CONFIG",
    "LOCKSTEP_SECRETS_DIR",
}
FALLBACKS = {
    "TEMPORAL_ADDRESS": "temporal.address",
    "TEMPORAL_NAMESPACE": "temporal.namespace",
}
KEY_FILES = {
    "polymarket.private_key_file": "polymarket.private_key",
    "kalshi.private_key_file": "kalshi.private_key_pem",
    "telegram.token_file": "telegram.token",
    "database.url_file": "database.url",
}
KEYS_FOR_LIVE = ("polymarket.private_key", "kalshi.private_key_pem")
"""What only a process that trades needs to know."""
NEEDED_FOR_LIVE = (
    *KEYS_FOR_LIVE,
    "polymarket.funder",
    "polymarket.signature_type",
    "kalshi.key_id",
    "pairs",
)
API_CREDENTIALS = ("polymarket.api_key", "polymarket.secret", "polymarket.passphrase")


@dataclass(frozen=True, slots=True)
class Layer:
    """One source: dotted keys to raw values, and the file they stand in, if any."""

    origin: str
    values: Mapping[str, object]
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """The configuration and, per dotted key that is not a default, where it came from."""

    config: Config
    origins: Mapping[str, str]


def load_config(
    overrides: Mapping[str, object] | None = None,
    *,
    config_file: Path | None = None,
    env: Mapping[str, str] = os.environ,
    folder: Path = Path(),
    trades: bool = True,
) -> LoadedConfig:
    """Read all sources. `overrides` are the command line's, by dotted key. A process that does not
    trade (`trades` is false) needs no keys of the venues.

    Raises ConfigError (exit code 3), one line per mistake: field, expected, found.
    """
    layers = [*_layers(env, config_file, folder), Layer("command line", overrides or {})]
    _refuse_unknown(layers)
    values: dict[str, object] = {}
    origins: dict[str, str] = {}
    for layer in layers:
        _refuse_shared_secrets(layer)
        values |= layer.values
        origins |= dict.fromkeys(layer.values, layer.origin)
    _read_key_files(values, origins)
    try:
        config = Config.model_validate(_nested(values))
    except ValidationError as error:
        lines = (_explain(detail, origins) for detail in error.errors())
        raise ConfigError("\n".join(lines)) from None
    _refuse_half_configured(config, values, trades)
    _refuse_twins(config, origins.get("pairs", "default"))
    return LoadedConfig(config, origins)


def known_keys(model: type[BaseModel] = Config, prefix: str = "") -> dict[str, FieldInfo]:
    """Every setting by dotted key; lists such as `pairs` are one setting."""
    keys: dict[str, FieldInfo] = {}
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            keys |= known_keys(field.annotation, f"{prefix}{name}.")
        else:
            keys[prefix + name] = field
    return keys


def is_secret(key: str) -> bool:
    """Whether a setting's value must never be shown."""
    field = known_keys().get(key)
    return field is not None and SecretStr in (field.annotation, *_parts(field.annotation))


def check_private(path: Path, key: str) -> None:
    """Refuse a file with secrets that anyone but its owner could read, or that is not ours."""
    try:
        status = path.stat()
    except OSError as error:
        raise ConfigError(
            f"{key}: expected a readable file, found {error.strerror}: {path}"
        ) from None
    if status.st_uid != os.geteuid():
        raise SharedFileError(
            f"{key}: expected a file owned by user {os.geteuid()}, "
            f"found owner {status.st_uid}: {path}",
            path,
            ours=False,
        )
    if status.st_mode & 0o077:
        raise SharedFileError(
            f"{key}: expected mode 600, found {status.st_mode & 0o777:o}: run `chmod 600 {path}` "
            "or `lockstep doctor --fix`",
            path,
            ours=True,
        )


def _parts(annotation: object) -> Iterator[object]:
    for part in get_args(annotation):
        yield part
        yield from _parts(part)


def _layers(env: Mapping[str, str], config_file: Path | None, folder: Path) -> list[Layer]:
    named = config_file or (Path(env["LOCKSTEP_CONFIG"]) if env.get("LOCKSTEP_CONFIG") else None)
    toml = named or folder / "lockstep.toml"
    layers = []
    if named or toml.exists():
        layers.append(Layer(f"file {toml}", _read_toml(toml), toml))
    if secrets := env.get("LOCKSTEP_SECRETS_DIR"):
        layers += _read_secrets(Path(secrets))
    dotenv = folder / ".env"
    if dotenv.exists():
        pairs = dotenv_values(dotenv, interpolate=False)
        layers.append(Layer(f"file {dotenv}", _from_names(pairs), dotenv))
    fallbacks = {key: env[name] for name, key in FALLBACKS.items() if env.get(name)}
    layers.append(Layer("environment TEMPORAL_…", fallbacks))
    layers.append(Layer("environment", _from_names(env)))
    return layers


def _read_toml(path: Path) -> dict[str, object]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except OSError as error:
        raise ConfigError(
            f"--config: expected a readable file, found {error.strerror}: {path}"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: expected TOML, found {error}") from None
    return _flat(table)


def _read_secrets(folder: Path) -> list[Layer]:
    """One setting per file, named like the environment variable, in lower case or not. An empty
    file sets nothing: container engines want a file for every secret that they are told of."""
    if not folder.is_dir():
        raise ConfigError(f"LOCKSTEP_SECRETS_DIR: expected a folder, found none at {folder}")
    layers = []
    for file in sorted(folder.iterdir()):
        if file.is_file() and not file.name.startswith("."):
            key = file.name.lower().removeprefix(PREFIX.lower()).replace("__", ".")
            check_private(file, key)
            if value := file.read_text().strip():
                layers.append(Layer(f"file {file}", {key: value}, file))
    return layers


def _from_names(pairs: Mapping[str, str | None]) -> dict[str, object]:
    """LOCKSTEP_POLYMARKET__CLOB_URL is polymarket.clob_url; names of others are not ours."""
    return {
        name.removeprefix(PREFIX).lower().replace("__", "."): value
        for name, value in pairs.items()
        if name.startswith(PREFIX) and name not in NOT_SETTINGS
    }


def _flat(table: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in table.items():
        flat |= (
            _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
        )
    return flat


def _nested(values: Mapping[str, object]) -> dict[str, object]:
    tree: dict[str, object] = {}
    for key, value in values.items():
        *sections, name = key.split(".")
        place = tree
        for section in sections:
            below = place.setdefault(section, {})
            assert isinstance(below, dict), f"{section} is a section in every known key"
            place = below
        place[name] = value
    return tree


def _refuse_unknown(layers: list[Layer]) -> None:
    known = known_keys()
    lines = []
    for layer in layers:
        for key in layer.values:
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
                hint = f"did you mean {near[0]}?" if near else "see docs/configuration.md"
                lines.append(f"{key} ({layer.origin}): expected a known setting: {hint}")
    if lines:
        raise ConfigError("\n".join(lines))


def _refuse_shared_secrets(layer: Layer) -> None:
    for key in layer.values:
        if layer.file and is_secret(key):
            check_private(layer.file, key)


def _read_key_files(values: dict[str, object], origins: dict[str, str]) -> None:
    """Put the contents of key files where the keys belong."""
    for file_key, key in KEY_FILES.items():
        if not values.get(file_key):
            continue
        if values.get(key):
            raise ConfigError(f"{file_key}: expected only one of it and {key}, found both")
        path = Path(str(values[file_key])).expanduser()
        check_private(path, file_key)
        values[key] = path.read_text(encoding="utf-8").strip()
        origins[key] = f"file {path}"


def _refuse_half_configured(config: Config, values: Mapping[str, object], trades: bool) -> None:
    given = [key for key in API_CREDENTIALS if values.get(key)]
    if given and len(given) != len(API_CREDENTIALS):
        raise ConfigError(
            f"{API_CREDENTIALS[0]}: expected all of {', '.join(API_CREDENTIALS)} or none, "
            f"found {', '.join(given)}"
        )
    if config.telegram.token is not None and not config.telegram.chats:
        raise ConfigError(
            "telegram.chats: expected the id of a chat at least, found none (docs/telegram.md says "
            "how to find it)"
        )
    if config.database.url is not None and config.database.path is not None:
        raise ConfigError("database.path: expected only one of it and database.url, found both")
    if config.mode is Mode.LIVE:
        needed = [key for key in NEEDED_FOR_LIVE if trades or key not in KEYS_FOR_LIVE]
        missing = [key for key in needed if values.get(key) in (None, "", [])]
        if missing:
            raise ConfigError(
                "\n".join(f"{key}: expected a value in mode live, found none" for key in missing)
            )


def _refuse_twins(config: Config, origin: str) -> None:
    """One id names one pair. And Kalshi nets YES against NO in one market: of two pairs on one
    ticker, each could undo what the other holds, and neither would be paid as it counts on."""
    lines: list[str] = []
    ids: dict[str, int] = {}
    tickers: dict[str, int] = {}
    for number, pair in enumerate(config.pairs):
        first = ids.setdefault(pair.id, number)
        other = tickers.setdefault(pair.kalshi.ticker, number)
        if first != number:
            lines.append(
                f"pairs.{number}.id ({origin}): expected an id of its own, found {pair.id!r}, "
                f"which is that of pairs.{first} too: give one of them another"
            )
        if other != number:
            lines.append(
                f"pairs.{number}.kalshi.ticker ({origin}): expected a market of its own, found "
                f"{pair.kalshi.ticker!r}, which pairs.{other} trades too: keep one of the two pairs"
            )
    if lines:
        raise ConfigError("\n".join(lines))


def _explain(detail: ErrorDetails, origins: Mapping[str, str]) -> str:
    """One line: the field, where it was set, what was expected, what was found."""
    where = ".".join(str(part) for part in detail["loc"])
    known = [key for key in origins if where == key or where.startswith(key + ".")]
    key = known[0] if known else where
    origin = f" ({origins[key]})" if known else ""
    expected = detail["msg"].removeprefix("Value error, ")
    expected = expected.replace("Input should be", "expected", 1)
    if detail["type"] == "missing":
        return f"{where}{origin}: expected a value, found none"
    value = detail["input"]
    found = f"a secret of {len(str(value))} characters" if is_secret(key) else repr(value)
    return f"{where}{origin}: {expected}, found {found}"
