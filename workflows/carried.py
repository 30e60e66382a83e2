"""What one run or workflow of an arbitrage hands to the next: attributes of its state, by name."""

from copy import copy
from dataclasses import fields
from typing import Any

from activities.messages import Carried
from domain.standing import Word

_PUBLIC = frozenset({"phase", "escalations", "asked", "flattening", "limits", "verdicts"})


def taken_from(state: object) -> Carried:
    """All of it; what can change is copied."""
    return Carried(**{name: _own(getattr(state, attribute)) for name, attribute in _NAMES})


def given_to(state: object, carried: Carried) -> None:
    """Set the attributes to what an earlier run knew."""
    for name, attribute in _NAMES:
        setattr(state, attribute, _own(getattr(carried, name)))


def obey(state: object, word: Word) -> None:
    """Set the attributes to what a person asked of an earlier workflow of the arbitrage."""
    asked: dict[str, object] = {"flattening": word.sells, "keeps_uneven": not word.sells}
    if word.sells:
        asked |= {"loss_max": word.loss_max, "limits": dict(word.limits)}
    for name, value in asked.items():
        setattr(state, _attribute(name), value)


def _own(value: Any) -> Any:
    return copy(value) if isinstance(value, dict | list | set) else value


def _attribute(name: str) -> str:
    return name if name in _PUBLIC else f"_{name}"


_NAMES = tuple((field.name, _attribute(field.name)) for field in fields(Carried))
