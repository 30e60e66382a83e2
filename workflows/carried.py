"""What one run of an arbitrage hands to the next: the attributes of its state, by their names."""

from copy import copy
from dataclasses import fields

from activities.messages import Carried

_PUBLIC = frozenset({"phase", "escalations", "flattening", "limits", "verdicts"})


def taken_from(state: object) -> Carried:
    """All of it; what can change is copied."""
    names = [field.name for field in fields(Carried)]
    return Carried(**{name: copy(getattr(state, _attribute(name))) for name in names})


def given_to(state: object, carried: Carried) -> None:
    """Set the attributes to what an earlier run knew."""
    for field in fields(Carried):
        setattr(state, _attribute(field.name), copy(getattr(carried, field.name)))


def _attribute(name: str) -> str:
    return name if name in _PUBLIC else f"_{name}"
