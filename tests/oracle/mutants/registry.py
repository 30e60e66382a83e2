"""How a mutant is planted: named, with the scenario that provokes it and the line that names it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Mutant:
    """One wrong executor. `plant` changes the product in this process, for good."""

    name: str
    scenario: str
    caught_by: str
    plant: Callable[[], None]


MUTANTS: dict[str, Mutant] = {}


def mutant(scenario: str, caught_by: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Register a function that plants the mutant of its name."""

    def register(plant: Callable[[], None]) -> Callable[[], None]:
        MUTANTS[plant.__name__] = Mutant(plant.__name__, scenario, caught_by, plant)
        return plant

    return register


def replaced(where: Any, name: str, new: Any) -> Any:
    """Put `new` where `name` was and return the old one; a name that moved is an error here."""
    old = getattr(where, name)
    setattr(where, name, new)
    return old
