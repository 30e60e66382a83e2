"""The executor's settings as text and as exact values, for whoever brings or shows them."""

from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from typing import Any

from domain.money import NotMoney, exact, to_micro
from domain.policy import ExecutorSettings
from store.errors import InvalidSettings

FIELDS = tuple(field.name for field in fields(ExecutorSettings))
Changes = Mapping[str, str | int | bool | Decimal]


def parse(changes: Changes) -> dict[str, Any]:
    """Exact values from what a form, a file or a command brings; else InvalidSettings."""
    parsed: dict[str, Any] = {}
    for field, value in changes.items():
        if field not in FIELDS:
            raise InvalidSettings(field, f"is no setting, expected one of {', '.join(FIELDS)}")
        if field == "enabled":
            if not isinstance(value, bool):
                raise InvalidSettings(field, f"must be true or false, found {value!r}")
            parsed[field] = value
        else:
            parsed[field] = _amount(field, value)
    return parsed


def as_text(settings: ExecutorSettings) -> dict[str, str | int | bool]:
    """Settings for JSON: amounts as strings without needless zeros."""
    values = {field: getattr(settings, field) for field in FIELDS}
    return {f: f"{v.normalize():f}" if isinstance(v, Decimal) else v for f, v in values.items()}


def _amount(field: str, value: str | int | Decimal) -> int | Decimal:
    try:
        number = exact(value)
        to_micro(number)
    except NotMoney as error:
        raise InvalidSettings(field, f"is no exact amount: {error}") from None
    if field != "max_daily_trades":
        return number
    if number != int(number):
        raise InvalidSettings(field, f"must be a whole number, found {number}")
    return int(number)
