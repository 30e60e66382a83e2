"""What one run or workflow of an arbitrage hands to the next: attributes of its state, by name."""

from copy import copy
from dataclasses import fields

from activities.messages import Carried
from domain.standing import Word

_PUBLIC = frozenset({"phase", "escalations", "asked", "flattening", "limits", "verdicts"})


def taken_from(state: object) -> Carried:
    """All of it; what can change is copied."""
    names = [field.name for field in fields(Carried)]
    return Carried(**{name: copy(getattr(state, _attribute(name))) for name in names})


def given_to(state: object, carried: Carried) -> None:
    """Set the attributes to what an earlier run knew."""
    for field in fields(Carried):
        setattr(state, _attribute(field.name), copy(getattr(carried, field.name)))


def obey(state: object, word: Word) -> None:
    """Set the attributes to what a person asked of an earlier workflow of the arbitrage."""
    asked: dict[str, object] = {"flattening": word.sells, "keeps_uneven": not word.sells}
    if word.sells:
        asked |= {"loss_max": word.loss_max, "limits": dict(word.limits)}
    for name, value in asked.items():
        setattr(state, _attribute(name), value)


def _attribute(name: str) -> str:
    return name if name in _PUBLIC else f"_{name}"
