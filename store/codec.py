"""How domain values, times and details become text columns, and how they come back."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from pydantic import TypeAdapter

from domain.opportunity import Opportunity
from domain.policy import Bounds
from domain.standing import Word
from domain.venue import Instrument

_OPPORTUNITY = TypeAdapter(Opportunity)
_INSTRUMENT = TypeAdapter(Instrument)
_BOUNDS = TypeAdapter(Bounds)
_WORD: TypeAdapter[Word | None] = TypeAdapter(Word | None)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def opportunity_json(value: Opportunity) -> str:
    """The opportunity with every amount as an exact string."""
    return _OPPORTUNITY.dump_json(value).decode()


def opportunity_from(text: str) -> Opportunity:
    """What `opportunity_json` wrote."""
    return _OPPORTUNITY.validate_json(text)


def instrument_json(value: Instrument) -> str:
    """The instrument with every amount as an exact string."""
    return _INSTRUMENT.dump_json(value).decode()


def instrument_from(text: str) -> Instrument:
    """What `instrument_json` wrote."""
    return _INSTRUMENT.validate_json(text)


def bounds_json(value: Bounds) -> str:
    """The bounds with every amount as an exact string."""
    return _BOUNDS.dump_json(value).decode()


def bounds_from(text: str) -> Bounds:
    """What `bounds_json` wrote."""
    return _BOUNDS.validate_json(text)


def word_json(value: Word | None) -> str:
    """What a person asked for with every amount as an exact string; None: nothing any more."""
    return _WORD.dump_json(value).decode()


def word_from(text: str) -> Word | None:
    """What `word_json` wrote."""
    return _WORD.validate_json(text)


def detail_json(value: Mapping[str, object]) -> str:
    """Strings, integers, booleans and None in one canonical text; amounts come as strings."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def detail_from(text: str) -> dict[str, object]:
    """What `detail_json` wrote."""
    value = json.loads(text)
    assert isinstance(value, dict), f"expected an object, found {text[:40]!r}"
    return value


def iso_utc(at_ms: int) -> str:
    """Wall-clock milliseconds as "2026-11-20T13:32:15.123Z"."""
    moment = _EPOCH + timedelta(milliseconds=at_ms)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03d}Z"


def ms_of(text: str) -> int:
    """Wall-clock milliseconds of what `iso_utc` wrote."""
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(milliseconds=1)


def utc_day(at_ms: int) -> str:
    """The UTC day of wall-clock milliseconds, such as "2026-11-20"."""
    return iso_utc(at_ms)[:10]
