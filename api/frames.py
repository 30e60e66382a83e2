"""What a page may say on the socket: checked here, so that nothing malformed gets any further."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from api.board import TOPICS
from api.wire import Json

FRAME_MAX = 16 * 1024
REF_MAX = 64


class BadFrame(Exception):
    """A frame that has no effect; `field` names what is wrong."""

    def __init__(self, message: str, field: str | None = None, ref: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.ref = ref


@dataclass(frozen=True, slots=True)
class Hello:
    """The first word of a page that can resume: what it wants and what it has."""

    topics: tuple[str, ...]
    stream: str
    last_seq: int


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Other topics from now on."""

    topics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ping:
    """Is anybody there?"""

    ref: str | None


@dataclass(frozen=True, slots=True)
class Toggle:
    """The seed's toggle_enabled."""

    value: bool
    confirm: str | None
    ref: str | None


@dataclass(frozen=True, slots=True)
class Update:
    """The seed's update_settings; `expected_version` None takes the newest."""

    settings: Mapping[str, object]
    expected_version: int | None
    ref: str | None


@dataclass(frozen=True, slots=True)
class Close:
    """The seed's close_position."""

    position_id: str
    loss_max: object
    ref: str | None
    limits: Mapping[str, object] = field(default_factory=dict)


Frame = Hello | Subscribe | Ping | Toggle | Update | Close


def parse(text: str) -> Frame:
    """What a frame asks for; BadFrame names what is wrong with it."""
    if len(text.encode(errors="replace")) > FRAME_MAX:
        raise BadFrame(f"expected at most {FRAME_MAX} bytes")
    message = loads(text)
    if not isinstance(message, dict):
        raise BadFrame("expected a JSON object")
    ref = message.get("ref")
    if ref is not None and not (isinstance(ref, str) and len(ref) <= REF_MAX):
        raise BadFrame(f"expected text of at most {REF_MAX} characters", "ref")
    try:
        return _frame(message, ref)
    except BadFrame as bad:
        raise BadFrame(bad.message, bad.field, ref) from None


def loads(text: str) -> object:
    """JSON with exact numbers; BadFrame for anything else."""
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise BadFrame("expected JSON") from None


def _frame(message: Json, ref: str | None) -> Frame:
    match message.get("action"):
        case "hello":
            last = message.get("last_seq", 0)
            stream = message.get("stream")
            if not _whole(last):
                raise BadFrame("expected a whole number", "last_seq")
            return Hello(_topics(message), stream if isinstance(stream, str) else "", last)
        case "sub":
            return Subscribe(_topics(message))
        case "ping":
            return Ping(ref)
        case "toggle_enabled":
            value, confirm = message.get("value"), message.get("confirm")
            if not isinstance(value, bool):
                raise BadFrame(f"expected true or false, found {_show(value)}", "value")
            return Toggle(value, confirm if isinstance(confirm, str) else None, ref)
        case "update_settings":
            settings, version = message.get("settings"), message.get("expected_version")
            if not isinstance(settings, dict) or not settings:
                raise BadFrame(f"expected an object, found {_show(settings)}", "settings")
            if version is not None and not _whole(version):
                raise BadFrame("expected a whole number", "expected_version")
            return Update(settings, version, ref)
        case "close_position":
            position = message.get("position_id")
            if not isinstance(position, str) or not position:
                raise BadFrame(f"expected an id, found {_show(position)}", "position_id")
            limits = message.get("limits")
            if not isinstance(limits, dict | None):
                raise BadFrame(f"expected an object, found {_show(limits)}", "limits")
            return Close(position, message.get("loss_max"), ref, limits or {})
        case other:
            known = "toggle_enabled, update_settings, close_position, hello, sub, ping"
            raise BadFrame(f"expected one of {known}, found {_show(other)}", "action")


def _topics(message: Json) -> tuple[str, ...]:
    found = message.get("topics", ["executor"])
    if not isinstance(found, list) or not found or len(found) > len(TOPICS):
        raise BadFrame(f"expected a list of {', '.join(TOPICS)}", "topics")
    for topic in found:
        if not isinstance(topic, str) or topic not in TOPICS:
            raise BadFrame(f"expected one of {', '.join(TOPICS)}, found {_show(topic)}", "topics")
    return tuple(sorted(set(found)))


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def _show(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"


def _no_constant(name: str) -> object:
    raise ValueError(name)
