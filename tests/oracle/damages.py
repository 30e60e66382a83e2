"""Ways to break a sound world, each with the line of the oracle that must speak up."""

from collections.abc import Callable
from dataclasses import replace

from tests.oracle import stories
from tests.oracle.build import Row, Story
from tests.oracle.world import MS_NS, Rules, World

Break = Callable[[Story], World | None]


def entry(story: Story, name: str, venue: str = "polymarket") -> Row:
    """An entry intent of a story's arbitrage."""
    return story.row("intents", f"arb-{name}/{venue}/entry/{1 if venue == 'polymarket' else 2}")


def sale(story: Story, name: str) -> Row:
    """The sale of a story's arbitrage."""
    intents = story.tables["intents"]
    return next(
        r for r in intents if r["arb_id"] == f"arb-{name}" and r["purpose"] in ("unwind", "close")
    )


def order(story: Story, intent: Row) -> Row:
    """The order behind an intent."""
    orders = story.ledgers[intent["venue"]]["orders"]
    return next(row for row in orders if row["client_id"] == intent["key"])


def sent_twice(story: Story) -> None:
    orders = story.ledgers["kalshi"]["orders"]
    orders.append(dict(orders[0]))


def entered_twice(story: Story) -> None:
    story.intend("arb-locked", "kalshi", "entry", 20, "0.42")


def filled_beyond(story: Story) -> None:
    entry(story, "locked", "kalshi")["size_micro"] = 19_000_000


def in_no_intent(story: Story) -> None:
    story.ledgers["kalshi"]["orders"][0]["client_id"] = "a new id"


def marked_late(story: Story) -> None:
    intent = entry(story, "locked")
    intent["sent_ms"] = order(story, intent)["first_byte_ns"] // MS_NS + 1


def worse_than_limit(story: Story) -> None:
    order(story, entry(story, "locked"))["fills"][0]["price"] = "0.51"


def wrong_side(story: Story) -> None:
    order(story, entry(story, "locked"))["outcome"] = "no"


def dear_fee(story: Story) -> None:
    order(story, entry(story, "locked"))["fills"][0]["fee"] = "0.31"


def one_leg_only(story: Story) -> None:
    story.tables["intents"].remove(entry(story, "locked", "kalshi"))


def legs_of_two_gates(story: Story) -> None:
    entry(story, "locked")["epoch"] = 2


def sold_blind(story: Story) -> None:
    entry(story, "rolled", "kalshi")["answered_ms"] = sale(story, "rolled")["sent_ms"] + 1


def sold_unsettled(story: Story) -> None:
    fill = next(r for r in story.tables["fills"] if r["intent_id"].startswith("arb-rolled"))
    fill["state_ms"] = sale(story, "rolled")["sent_ms"] + 1


def sold_too_much(story: Story) -> None:
    order(story, sale(story, "rolled"))["size"] = "21"


def too_many_trades(story: Story) -> None:
    history = story.tables["settings_history"][1]
    history["settings"] = history["settings"].replace("50", "3")


def too_much_risk(story: Story) -> None:
    for row in story.tables["reservations"]:
        row["worst_loss_micro"] = 200_000_000


def two_on_one_pair(story: Story) -> None:
    story.row("arbitrages", "arb-rolled")["pair_id"] = "locked"


def bet_too_large(story: Story) -> None:
    history = story.tables["settings_history"][1]
    history["settings"] = history["settings"].replace('"max_bet": "20"', '"max_bet": "12"')


def after_the_disable(story: Story) -> None:
    story.save_settings(3, enabled=False)
    story.tick(1_000)
    stories.rolled_back(story, "late")
    story.row("arbitrages", "arb-late")["settings_version"] = 3


def after_the_halt(story: Story) -> None:
    story.seal("halt", "run_state")
    story.tick(1_000)
    stories.rolled_back(story, "late")


def version_gap(story: Story) -> None:
    story.tables["settings_history"][1]["version"] = 3


def version_not_in_force(story: Story) -> None:
    story.row("arbitrages", "arb-locked")["settings_version"] = 1


def illegal_step(story: Story) -> None:
    story.event("arb-rolled", "phase", {"phase": "HOLDING"})


def phase_without_event(story: Story) -> None:
    story.row("arbitrages", "arb-locked")["phase"] = "CLOSING"


def stored_as_float(story: Story) -> None:
    story.tables["fills"][0]["fee_micro"] = 250_000.0


def planned_in_floats(story: Story) -> None:
    row = story.row("arbitrages", "arb-locked")
    row["opportunity"] = row["opportunity"].replace('"0.3631"', '"0.36310000000000003"')


def rounded_for_us(story: Story) -> None:
    story.row("arbitrages", "arb-locked")["profit_micro"] += 1


def unhonest(story: Story) -> None:
    arb_id = stories.locked(story, "shown")
    event = next(
        r for r in story.tables["events"] if r["arb_id"] == arb_id and r["kind"] == "locked"
    )
    event["detail"] = event["detail"].replace("1.0089", "1.0090")


def not_voided(story: Story) -> None:
    fill = next(r for r in story.tables["fills"] if r["state"] == "voided")
    fill["state"] = "confirmed"


def voided_late(story: Story) -> None:
    next(r for r in story.tables["fills"] if r["state"] == "voided")["state_ms"] += 1_000


def nobody_answers(story: Story) -> None:
    story.tables["audit"].clear()


def past_its_deadline(story: Story) -> None:
    intent = entry(story, "locked")
    intent["not_after_ms"] = order(story, intent)["first_byte_ns"] // MS_NS - 60


def seal_broken(story: Story) -> None:
    story.tables["audit"][0]["origin"] = "nowhere"


def still_moving(story: Story) -> None:
    arb_id = story.admit("moving")
    story.event(arb_id, "phase", {"phase": "RESOLVING"})


def naked_and_flat(story: Story) -> None:
    order(story, sale(story, "rolled"))["fills"].clear()


def alarm_names_another(story: Story) -> None:
    arb_id = story.admit("naked")
    bought, killed = stories.entries(story, arb_id)
    story.fill(bought, story.send(bought), "0.25")
    story.refuse(killed)
    story.event(arb_id, "phase", {"phase": "NEEDS_OPERATOR"})
    story.alarm(arb_id, "polymarket holds 19, kalshi holds 0")


def cash_drift(story: Story) -> None:
    story.tables["fills"][0]["fee_micro"] += 1


def wrong_result(story: Story) -> None:
    story.row("arbitrages", "arb-rolled")["realised_micro"] += 1


def counted_twice(story: Story) -> None:
    row = next(r for r in story.tables["fills"] if r["intent_id"].startswith("arb-locked"))
    story.tables["fills"].append({**row, "trade_id": "again"})


def risk_of_the_dead(story: Story) -> None:
    story.row("reservations", "arb-rolled")["state"] = "held"


def no_workflow(story: Story) -> World:
    return replace(story.world(), workflows=frozenset())


def workflow_of_the_dead(story: Story) -> World:
    return replace(story.world(), workflows=frozenset({"arb-locked", "arb-rolled"}))


def rests(story: Story) -> None:
    story.ledgers["kalshi"]["orders"][0]["state"] = "resting"


def alarm_untold(story: Story) -> None:
    story.tables["outbox"] = [r for r in story.tables["outbox"] if "alarm/1" not in r["dedupe_key"]]


def end_untold(story: Story) -> None:
    story.tables["outbox"] = [r for r in story.tables["outbox"] if "rolled" not in r["dedupe_key"]]


def unknown_in_silence(story: Story) -> None:
    entry(story, "locked", "kalshi")["state"] = "unknown"


def alarm_late(story: Story) -> None:
    intent = sale(story, "rolled")
    alarm = next(r for r in story.tables["alarms"] if r["arb_id"] == "arb-rolled")
    intent["answered_ms"] += 9_000
    alarm["opened_ms"] += 9_000


def not_asked_in_time(story: Story) -> None:
    arb_id = story.admit("lost")
    story.send(stories.entries(story, arb_id)[0])
    story.tick(10_001)


def not_asked_after_restart(story: Story) -> World:
    arb_id = story.admit("lost")
    story.send(stories.entries(story, arb_id)[0])
    story.tick(60_000)
    outage = (story.clock - 59_000, story.clock - 50_000)
    return replace(story.world(), rules=Rules(outages=(outage,)))


def restless(story: Story) -> World:
    arb_id = story.admit("moving")
    story.event(arb_id, "phase", {"phase": "RESOLVING"})
    healed = story.clock
    story.tick(121_000)
    return replace(story.world(), rules=Rules(healed_ms=healed))


def naked_in_silence(story: Story) -> None:
    arb_id = story.admit("silent")
    bought, unknown = stories.entries(story, arb_id)
    story.fill(bought, story.send(bought), "0.25")
    story.send(unknown, arrives=False)
    story.tick(6_000)


BROKEN: list[tuple[str, Break]] = [
    ("S1_once", sent_twice),
    ("S1_once", entered_twice),
    ("S1_once", filled_beyond),
    ("S2_write_ahead", in_no_intent),
    ("S2_write_ahead", marked_late),
    ("S3_bounds", worse_than_limit),
    ("S3_bounds", wrong_side),
    ("S3_bounds", dear_fee),
    ("S4_pair", one_leg_only),
    ("S4_pair", legs_of_two_gates),
    ("S5_no_blind_unwind", sold_blind),
    ("S5_no_blind_unwind", sold_unsettled),
    ("S6_no_overshoot", sold_too_much),
    ("S7_daily_limit", too_many_trades),
    ("S7_daily_limit", too_much_risk),
    ("S8_caps", two_on_one_pair),
    ("S8_caps", bet_too_large),
    ("S9_disable_fence", after_the_disable),
    ("S9_disable_fence", after_the_halt),
    ("S10_settings", version_gap),
    ("S10_settings", version_not_in_force),
    ("S11_lifecycle", illegal_step),
    ("S11_lifecycle", phase_without_event),
    ("S13_integers", stored_as_float),
    ("S13_integers", planned_in_floats),
    ("S13_integers", rounded_for_us),
    ("S14_honest_profit", unhonest),
    ("S15_void", not_voided),
    ("S15_void", voided_late),
    ("S17_authority", nobody_answers),
    ("S19_freshness", past_its_deadline),
    ("S20_audit_chain", seal_broken),
    ("Q1_ended", still_moving),
    ("Q2_hedged", naked_and_flat),
    ("Q2_hedged", alarm_names_another),
    ("Q3_cash", cash_drift),
    ("Q3_cash", wrong_result),
    ("Q4_positions", counted_twice),
    ("Q5_reservations", risk_of_the_dead),
    ("Q6_workflows", no_workflow),
    ("Q6_workflows", workflow_of_the_dead),
    ("Q7_nothing_rests", rests),
    ("Q8_told", alarm_untold),
    ("Q8_told", end_untold),
    ("Q9_unknown_is_loud", unknown_in_silence),
    ("B1_alarm_in_time", alarm_late),
    ("B3_resolving_after_restart", not_asked_after_restart),
    ("B4_rest_after_heal", restless),
    ("B5_no_silent_exposure", naked_in_silence),
    ("B6_asked_in_time", not_asked_in_time),
]
