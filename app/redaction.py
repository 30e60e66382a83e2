"""Keeps secrets out of what is written: by their values, and by what they look like.

The values are those of the configuration, in every form in which they may come along; the patterns
catch what nobody told us of.
"""

import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, unquote, urlsplit

from pydantic import BaseModel, SecretStr

HIDDEN = "[hidden]"
SHORTEST = 6
"""Shorter values would hide ordinary words."""

_PATTERNS = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", re.S),
    re.compile(r"(?<!\d)\d{5,20}:[A-Za-z0-9_-]{30,64}"),
    re.compile(r"(?i)(?<=bearer )[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(
        r"(?i)[\w-]*(?:secret|passphrase|password|private[_-]?key|signature|token)[\"']?"
        r"\s*[:=]\s*[\"']?([^\s\"',;}&]{12,})"
    ),
)


class Redactor:
    """A text in, the same text without secrets out."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._values: re.Pattern[str] | None = None
        forms = {form for secret in secrets for form in forms_of(secret)}
        if forms:
            longest_first = sorted(forms, key=len, reverse=True)
            self._values = re.compile("|".join(re.escape(form) for form in longest_first))

    def __call__(self, text: str) -> str:
        """The text, with every secret replaced."""
        if self._values is not None:
            text = self._values.sub(HIDDEN, text)
        for pattern in _PATTERNS:
            text = pattern.sub(_hide, text)
        return text


def secrets_of(config: BaseModel) -> Iterator[str]:
    """Every secret value of a configuration, in all of its sections."""
    for name in type(config).model_fields:
        value = getattr(config, name)
        if isinstance(value, SecretStr):
            yield value.get_secret_value()
        elif isinstance(value, BaseModel):
            yield from secrets_of(value)


def _hide(found: re.Match[str]) -> str:
    """The whole match, or only its group: the name of a secret is worth reading."""
    if not found.re.groups:
        return HIDDEN
    start, end = found.span(1)
    offset = found.start()
    whole = found[0]
    return whole[: start - offset] + HIDDEN + whole[end - offset :]


def forms_of(secret: str) -> Iterator[str]:
    """The secret as it is, within JSON or an address, without its 0x, and line by line; of an
    address its password too."""
    bare = secret.strip()
    if "://" in bare and (password := urlsplit(bare).password):
        yield from forms_of(unquote(password))
    lines = [line.strip() for line in bare.splitlines() if not line.startswith("-----")]
    for form in (bare, bare.removeprefix("0x"), *lines):
        for written in (form, json.dumps(form)[1:-1], quote(form, safe="")):
            if len(written) >= SHORTEST:
                yield written
