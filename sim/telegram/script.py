"""Troubles on order: which method fails, in which chat, how, and how often."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

KINDS: Final = {
    "429": "answer Too Many Requests with `seconds` to wait; nothing is done",
    "hang_before": "no answer for `seconds`; nothing is done",
    "hang_after": "do it, then give no answer for `seconds`",
    "error_before": "answer `status` (500); nothing is done",
    "error_after": "do it, then answer `status` (500)",
    "drop_before": "close the connection; nothing is done",
    "drop_after": "do it, then close the connection",
    "bad_page": "answer 502 with an HTML page; nothing is done",
    "blocked": "answer 403: the bot was blocked by the user",
    "duplicate": "getUpdates only: give updates again that were confirmed",
    "out_of_order": "getUpdates only: give updates newest first",
    "conflict": "getUpdates only: answer 409, somebody else polls",
}


@dataclass(slots=True)
class Rule:
    """One scripted trouble; `times` 0 means for ever, `chat` None means any."""

    method: str
    do: str
    chat: int | None = None
    times: int = 1
    seconds: int = 1
    status: int = 500
    hits: int = 0


@dataclass(slots=True)
class Script:
    """The rules in force; the first that applies decides."""

    rules: list[Rule] = field(default_factory=list)

    def add(self, spec: Mapping[str, object]) -> Rule:
        """Append a rule from its JSON form; ValueError names the field that is wrong."""
        do, method = str(spec.get("do")), str(spec.get("method", "sendMessage"))
        if do not in KINDS:
            raise ValueError(f"do: expected one of {', '.join(KINDS)}, found {do!r}")
        chat = spec.get("chat")
        rule = Rule(method, do, None if chat is None else _whole("chat", chat))
        for name in ("times", "seconds", "status"):
            if name in spec:
                setattr(rule, name, _whole(name, spec[name]))
        self.rules.append(rule)
        return rule

    def take(self, method: str, chat: int | None) -> Rule | None:
        """The trouble of this call, counted as used; None when it shall go well."""
        for rule in self.rules:
            spent = bool(rule.times) and rule.hits >= rule.times
            if not spent and rule.method in (method, "*") and rule.chat in (chat, None):
                rule.hits += 1
                return rule
        return None


def _whole(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{name}: expected a whole number, found {value!r}")
    return value
