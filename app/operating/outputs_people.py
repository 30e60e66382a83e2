"""What `lockstep login-url`, `hash-password` and `token` print as JSON. Each holds a secret that is
shown this once."""

from app.operating.output import Output


class LoginLink(Output):
    """`lockstep login-url`: the link logs in once, within so many seconds."""

    url: str
    valid_seconds: int


class PasswordHash(Output):
    """`lockstep hash-password`: what `api.password_hash` takes."""

    password_hash: str


class TokenAdded(Output):
    """`lockstep token add`: `scope` is read, trade or admin."""

    name: str
    scope: str
    token: str


class TokensRevoked(Output):
    """`lockstep token revoke`: how many tokens and sessions ended."""

    name: str
    ended: int
