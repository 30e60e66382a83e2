"""`lockstep config` and `lockstep schema`: the static configuration, and what `--json` prints."""

import json
from typing import Annotated

import typer

from app.commands.frame import AsJson, ConfigFile, emit, group, verb
from app.config import Config
from app.config_sources import is_secret, known_keys, load_config
from app.errors import UsageError
from app.operating import outputs
from app.operating.published import SCHEMAS


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    config = group(app, "config", "Look at the static configuration.")
    verb(
        config,
        "show",
        "config show --origin: every setting, its value and where it comes from",
        "config show --config live.toml: what another file would make of it",
        "config show --json | jq '.settings.mode': for a script",
    )(show)
    verb(
        config,
        "schema",
        "config schema > lockstep.schema.json: for an editor that completes lockstep.toml",
    )(config_schema)
    verb(
        app,
        "schema",
        "schema: the names of all outputs",
        "schema positions: the JSON Schema of `lockstep positions --json`",
    )(schema)


def show(
    origin: Annotated[bool, typer.Option(help="Also say where each value comes from.")] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Print every setting; secrets only say whether they are set."""
    loaded = load_config(config_file=config)
    tree = loaded.config.model_dump(mode="json")
    rows = {}
    for key in known_keys():
        value: object = tree
        for part in key.split("."):
            value = value[part] if isinstance(value, dict) else None
        shown = ("set" if value else "not set") if is_secret(key) else value
        rows[key] = outputs.ConfigValue(value=shown, origin=loaded.origins.get(key, "default"))
    lines = [
        f"{key} = {row.value}" + (f"  ({row.origin})" if origin else "")
        for key, row in rows.items()
    ]
    emit(outputs.ConfigShown(settings=rows), as_json, *lines)


def config_schema() -> None:
    """Print the JSON Schema of lockstep.toml."""
    typer.echo(json.dumps(Config.model_json_schema(), indent=2))


def schema(
    name: Annotated[
        str | None, typer.Argument(metavar="VERB", help="Such as positions or settings-get.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print the JSON Schema of what a verb's --json prints; without a name, all names."""
    if name is None:
        names = sorted(SCHEMAS)
        emit(outputs.SchemaNames(names=names), as_json, *names)
        return
    if name not in SCHEMAS:
        known = ", ".join(sorted(SCHEMAS))
        raise UsageError(f"VERB: expected one of {known}, found {name!r}")
    typer.echo(json.dumps(SCHEMAS[name].model_json_schema(), indent=2))
