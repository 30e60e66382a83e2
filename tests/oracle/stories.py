"""The sound stories that tests of the judge begin with, one per ending."""

from decimal import Decimal

from tests.oracle.build import FEES, Row, Story


def entries(story: Story, arb_id: str) -> tuple[Row, Row]:
    """Both entry intents, Polymarket's first."""
    both = [row for row in story.tables["intents"] if row["arb_id"] == arb_id]
    return both[0], both[1]


def locked(story: Story, name: str = "locked") -> str:
    """Both legs fill and are held."""
    arb_id = story.admit(name)
    for intent in entries(story, arb_id):
        story.fill(intent, story.send(intent), FEES[intent["venue"]])
    story.lock(arb_id, "1.0089")
    return arb_id


def matched(story: Story, name: str = "matched") -> str:
    """Both legs are held, and Polymarket's chain has not confirmed its trade yet."""
    arb_id = locked(story, name)
    own = {intent["id"] for intent in entries(story, arb_id)[:1]}
    next(row for row in story.tables["fills"] if row["intent_id"] in own)["state"] = "provisional"
    story.row("reservations", arb_id).update(state="held", ended_ms=None)
    return arb_id


def rolled_back(story: Story, name: str = "rolled") -> str:
    """Kalshi kills its leg, Polymarket's is sold."""
    arb_id = story.admit(name)
    bought, killed = entries(story, arb_id)
    first, second = story.send(bought), story.send(killed)
    assert second["state"] == "killed"
    story.fill(bought, first, FEES["polymarket"])
    story.refuse(killed)
    story.sell(arb_id, "polymarket", "0.48", "0.2496")
    story.end(arb_id, "FLAT", "-0.8996")
    return arb_id


def ghost(story: Story, name: str = "ghost") -> str:
    """Polymarket's match fails on the chain after the lock, Kalshi's leg is sold."""
    arb_id = story.admit(name)
    bought, other = entries(story, arb_id)
    order = story.send(bought)
    fill = story.fill(bought, order, FEES["polymarket"])
    story.fill(other, story.send(other), FEES["kalshi"])
    story.lock(arb_id, "1.0089")
    story.void(bought, order, fill)
    story.row("reservations", arb_id)["state"] = "held"
    story.sell(arb_id, "kalshi", "0.4", "0.336")
    story.end(arb_id, "FLAT", "-1.0771")
    return arb_id


def never_arrived(story: Story, name: str = "absent") -> str:
    """Kalshi's order is lost on the way; after its quarantine Polymarket's leg is sold."""
    arb_id = story.admit(name)
    bought, lost = entries(story, arb_id)
    story.fill(bought, story.send(bought), FEES["polymarket"])
    story.send(lost, arrives=False)
    story.event(arb_id, "phase", {"phase": "RESOLVING"})
    for wait in (200, 900, 1_200):
        at_ms = story.tick(wait)
        for source in ("kalshi orders", "kalshi fills"):
            story.tables["observations"].append(
                {"intent_id": lost["id"], "source": source, "at_ms": at_ms, "found": 0,
                 "as_of_ms": at_ms}
            )  # fmt: skip
    story.refuse(lost)
    lost["rejection"] = "never_arrived"
    story.sell(arb_id, "polymarket", "0.48", "0.2496")
    story.end(arb_id, "FLAT", "-0.8996")
    return arb_id


def settled(story: Story, name: str = "settled") -> str:
    """Both legs are held until the question is answered yes."""
    arb_id = locked(story, name)
    story.event(arb_id, "phase", {"phase": "SETTLING"})
    for intent, amount in zip(entries(story, arb_id), (20, 0), strict=True):
        story.tables["payouts"].append(
            {"arb_id": arb_id, "venue": intent["venue"], "amount_micro": amount * 1_000_000}
        )
        ledger = story.ledgers[intent["venue"]]
        held = next(row for row in ledger["positions"] if row["pair"] == name)
        ledger["positions"].remove(held)
        if amount:
            ledger["entries"].append(
                {"kind": "payout", "cash": str(amount), "ref": "redeem", "ts_ns": 0}
            )
            ledger["cash"] = str(Decimal(ledger["cash"]) + amount)
    story.end(arb_id, "SETTLED", "1.0089")
    return arb_id


def neutralised(story: Story, name: str = "neutral") -> str:
    """Kalshi kills its leg, Polymarket refuses the sale: the other outcome is bought beside it."""
    arb_id = story.admit(name, bounds='{"buy_opposite": true}')
    bought, killed = entries(story, arb_id)
    story.fill(bought, story.send(bought), FEES["polymarket"])
    story.send(killed)
    story.refuse(killed)
    story.event(arb_id, "phase", {"phase": "UNWINDING"})
    alarm = story.alarm(arb_id, "polymarket holds 20, the other 0")
    refused = story.intend(arb_id, "polymarket", "unwind", 20, "0.48")
    story.send(refused)
    story.refuse(refused)
    other = story.intend(arb_id, "polymarket", "unwind", 20, "0.52")
    other |= {"action": "buy", "outcome": "no"}
    story.fill(other, story.send(other), "0.2496")
    alarm["closed_ms"] = story.clock
    story.tell(f"alarm/{alarm['id']}/closed", f"OVER — UNHEDGED · Alarm {alarm['id']}")
    story.lock(arb_id, "-0.8996", status="PARTIAL")
    return arb_id


def every_ending() -> Story:
    """One of each, sound."""
    story = Story()
    for tell in (locked, rolled_back, ghost, never_arrived, settled, neutralised):
        tell(story)
        story.tick(1_000)
    return story
