"""`lockstep login-url`, `hash-password` and `token`: who may use the dashboard and the API."""

import sys
from typing import Annotated

import typer

from app.commands.frame import AsJson, ConfigFile, emit, group, load, verb
from app.errors import UsageError
from app.operating.output import Output
from app.operating.outputs_people import LoginLink, PasswordHash, TokenAdded, TokensRevoked
from store.states import Scope


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    verb(
        app,
        "login-url",
        "login-url: a link that works once, within ten minutes",
        "login-url --base-url https://desk.example: for a dashboard behind a proxy",
    )(login_url)
    verb(
        app,
        "hash-password",
        "hash-password: asks for a password, prints what api.password_hash takes",
    )(hash_password)
    token = group(app, "token", "Bearer tokens for scripts.")
    verb(
        token,
        "add",
        "token add monitoring: a token that may read",
        "token add flattener --scope trade: one that may also close",
        "token add backup --json | jq -r .token: for a script",
    )(add)
    verb(token, "revoke", "token revoke monitoring: end its tokens and sessions")(revoke)


def login_url(
    base_url: Annotated[
        str | None, typer.Option(help="The dashboard's address, where api.port does not say it.")
    ] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Print a link that logs into the dashboard once, within ten minutes."""
    from app import access

    url = access.login_link(load(config), base_url)
    _tell(LoginLink(url=url, valid_seconds=access.LINK_MS // 1000), as_json, url)


def hash_password(as_json: AsJson = False) -> None:
    """Ask for a password and print its hash for api.password_hash."""
    if not sys.stdin.isatty():
        raise UsageError("hash-password: expected a terminal to ask for the password")
    from app import access

    made = access.password_hash(typer.prompt("Password", hide_input=True, err=True))
    _tell(PasswordHash(password_hash=made), as_json, made)


def add(
    name: Annotated[str, typer.Argument(help="Whose token it is, for the audit trail.")],
    scope: Annotated[Scope, typer.Option(help="What its bearer may do.")] = Scope.READ,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Print a new bearer token for scripts; it is shown this once."""
    from app import access

    token = access.add_token(load(config), name, scope)
    _tell(TokenAdded(name=name, scope=scope.value, token=token), as_json, token)


def revoke(
    name: Annotated[str, typer.Argument(help="Whose tokens and sessions end.")],
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """End every token and session of a name."""
    from app import access

    number = access.revoke(load(config), name)
    _tell(TokensRevoked(name=name, ended=number), as_json, f"ended {number}")


def _tell(told: Output, as_json: bool, line: str) -> None:
    """One line as it is: a terminal's width must break no link and no token."""
    if as_json:
        emit(told, True)
    else:
        typer.echo(line)
