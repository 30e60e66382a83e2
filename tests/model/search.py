"""Breadth-first search over explicit states: the shortest way to a violation, or all states."""

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

S = TypeVar("S", bound=Hashable)
STATES_MAX = 2_000_000


@dataclass(frozen=True, slots=True)
class Violation:
    """What broke, and the shortest trace of steps from the start to it."""

    rule: str
    trace: tuple[str, ...]

    def __str__(self) -> str:
        steps = "\n".join(f"  {number}. {step}" for number, step in enumerate(self.trace, 1))
        return f"{self.rule}, after {len(self.trace)} steps:\n{steps}"


@dataclass(frozen=True, slots=True)
class Closed:
    """No violation: how many states and steps there are, how many states are at rest, and how
    many cannot come to rest any more (a livelock each)."""

    states: int
    steps: int
    resting: int
    trapped: int
    longest: int


@dataclass(frozen=True, slots=True)
class Model(Generic[S]):
    """A start, the labelled steps out of a state, and what is wrong with a state (or None).

    `broken` is told whether the state is at rest: nothing but a crash can happen to it.
    """

    start: S
    steps: Callable[[S], Iterable[tuple[str, S]]]
    broken: Callable[[S, bool], str | None]


def search(model: Model[S]) -> Violation | Closed:
    """Every reachable state once, nearest first."""
    came_from: dict[S, tuple[S, str] | None] = {model.start: None}
    depth = {model.start: 0}
    back: dict[S, list[S]] = {}
    resting: list[S] = []
    taken = 0
    queue = deque([model.start])
    while queue:
        state = queue.popleft()
        following = list(model.steps(state))
        at_rest = all(label.startswith("crash") for label, _ in following)
        rule = model.broken(state, at_rest)
        if rule is not None:
            return Violation(rule, _trace(came_from, state))
        if at_rest:
            resting.append(state)
        for label, after in following:
            taken += 1
            back.setdefault(after, []).append(state)
            if after not in came_from:
                came_from[after] = (state, label)
                depth[after] = depth[state] + 1
                assert len(came_from) <= STATES_MAX, f"more than {STATES_MAX} states"
                queue.append(after)
    trapped = len(came_from) - len(_reaching(resting, back))
    return Closed(len(came_from), taken, len(resting), trapped, max(depth.values()))


def _reaching(ends: Iterable[S], back: dict[S, list[S]]) -> set[S]:
    reached = set(ends)
    queue = deque(reached)
    while queue:
        for before in back.get(queue.popleft(), ()):
            if before not in reached:
                reached.add(before)
                queue.append(before)
    return reached


def _trace(came_from: dict[S, tuple[S, str] | None], state: S) -> tuple[str, ...]:
    steps = []
    link = came_from[state]
    while link is not None:
        steps.append(link[1])
        link = came_from[link[0]]
    return tuple(reversed(steps))
