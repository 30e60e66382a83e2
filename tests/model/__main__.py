"""Print what the search finds: `python -m tests.model`."""

import sys

from tests.model.policies import NEUTRALISING, OURS, model
from tests.model.refuted import CRASHES_MAX, REFUTED
from tests.model.search import search
from tests.model.world import Rules


def main() -> None:
    """One counterexample per refuted policy, and the size of the world in which ours holds."""
    for case in REFUTED:
        found = search(model(case.policy, case.rules))
        sys.stdout.write(f"{case.policy.letter} ({case.policy.title}): {found}\n")
    for policy in (OURS, NEUTRALISING):
        for crashes in range(CRASHES_MAX + 1):
            closed = search(model(policy, Rules(crashes=crashes)))
            said = f"{policy.letter} ({policy.title}), {crashes} crashes: {closed}"
            sys.stdout.write(f"{said}\n")


if __name__ == "__main__":
    main()
