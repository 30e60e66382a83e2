"""Ways to conclude on too little that an order never arrived, each with the line that must speak
up."""

from tests.oracle.build import Story
from tests.oracle.damages import Break


def too_few_misses(story: Story) -> None:
    del story.tables["observations"][2:]


def failed_reads_counted(story: Story) -> None:
    for row in story.tables["observations"]:
        row["found"] = None


def trades_unread(story: Story) -> None:
    for row in story.tables["observations"]:
        if row["source"] == "kalshi fills":
            row["found"] = None


def trades_read_early(story: Story) -> None:
    *_, last = [r for r in story.tables["observations"] if r["source"] == "kalshi fills"]
    last["found"] = None


def shown_between(story: Story) -> None:
    row = story.tables["observations"][2]
    row["found"] = 1


def trade_shown(story: Story) -> None:
    first = next(r for r in story.tables["observations"] if r["source"] == "kalshi fills")
    story.tables["observations"].append(first | {"at_ms": first["at_ms"] - 150, "found": 1})


def too_early(story: Story) -> None:
    lost = next(r for r in story.tables["intents"] if r["rejection"] == "never_arrived")
    lost["answered_ms"] = lost["sent_ms"] + 1_999


EVIDENCE: list[tuple[str, Break]] = [
    ("S12_evidence", too_few_misses),
    ("S12_evidence", failed_reads_counted),
    ("S12_evidence", trades_unread),
    ("S12_evidence", trades_read_early),
    ("S12_evidence", shown_between),
    ("S12_evidence", trade_shown),
    ("S12_evidence", too_early),
]
