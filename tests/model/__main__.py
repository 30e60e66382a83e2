"""Print what the search finds: `python -m tests.model`."""

import sys

from tests.model.policies import CRASHES_MAX, OURS, REFUTED, model
from tests.model.search import search
from tests.model.world import Rules


def main() -> None:
    """One counterexample per refuted policy, and the size of the world in which ours holds."""
    for case in REFUTED:
        found = search(model(case.policy, case.rules))
        sys.stdout.write(f"{case.policy.letter} ({case.policy.title}): {found}\n")
    for crashes in range(CRASHES_MAX + 1):
        found = search(model(OURS, Rules(crashes=crashes)))
        sys.stdout.write(f"{OURS.letter} ({OURS.title}), {crashes} crashes: {found}\n")


if __name__ == "__main__":
    main()
