"""What happened, as lines for people: from the outbox's messages and the audit trail."""

from collections.abc import Mapping
from decimal import Decimal

from api.slices import DEEDS
from api.wire import Json, iso, text
from domain.money import show_usd
from store.codec import detail_from
from store.runbook import wants
from store.tables import AuditRow
from store.views import Told

TOLD_BY_OUTBOX = frozenset({"save_settings"})
TOLD_BY_AUDIT = frozenset({"halted", "resumed"})
FOR_CHATS = frozenset({"daily", "heartbeat"})


def of_message(told: Told) -> Json | None:
    """One message of the outbox as a line; None where the audit trail tells it, or where it only
    is for chats."""
    if told.topic in TOLD_BY_AUDIT | FOR_CHATS:
        return None
    severity, said = _line(told)
    return {
        "id": f"m{told.id}",
        "at": iso(told.at_ms),
        "kind": told.topic,
        "severity": severity,
        "arb_id": told.payload.get("arb_id"),
        "text": said,
        "wants": _wants(told.payload) if told.topic == "alarm" else None,
    }


def of_audit(row: AuditRow) -> Json | None:
    """Who did what from where; None where a message of the outbox tells it."""
    if row.action in TOLD_BY_OUTBOX:
        return None
    detail = detail_from(row.detail)
    why = f": {detail['reason']}" if detail.get("reason") else ""
    verb = row.action.replace("_", " ")
    about = detail.get("title") or row.subject
    return {
        "id": f"a{row.id}",
        "at": iso(row.at_ms),
        "kind": row.action,
        "severity": "warn" if row.action == "halt" else "info",
        "text": f"{row.actor} ({row.origin}): {verb} {about}{why}",
    }


def _line(told: Told) -> tuple[str, str]:
    payload = told.payload
    match told.topic:
        case "trade_event":
            status = str(payload["status"])
            pnl = show_usd(Decimal(str(payload["pnl"])))
            good = status == "SUCCESS"
            return ("info" if good else "warn"), f"{payload['event']}: {status} {pnl}"
        case "position_opened":
            return "info", f"{payload['event']}: {_holding(payload)}"
        case "position_closed":
            return "info", f"{payload['event']}: position {payload['status']}"
        case "settings_changed":
            changes = payload["changes"]
            assert isinstance(changes, dict), f"expected changes, found {changes!r}"
            said = ", ".join(f"{name} {old} → {new}" for name, (old, new) in changes.items())
            by = f"{payload['by']} ({payload['origin']})"
            return "info", f"{by} saved settings v{payload['version']}: {said}"
        case "alarm":
            closed = payload["state"] == "closed"
            red = payload["severity"] == "red" and not closed
            about = payload.get("event") or payload.get("arb_id")
            what = payload["evidence"] if closed else payload["detail"]
            said = f"{about}: {what}" if about else str(what)
            state = "over" if closed else "alarm"
            return ("critical" if red else "warn"), f"{payload['code']} ({state}): {said}"
        case _:
            return "info", told.topic.replace("_", " ")


def _wants(payload: Mapping[str, object]) -> str | None:
    """What an open alarm wants of its reader."""
    if payload["state"] == "closed":
        return None
    loud = payload["severity"] == "red"
    return wants(str(payload["code"]), payload["alarm_id"], DEEDS, loud=loud)


def _holding(payload: Mapping[str, object]) -> str:
    """What is held of both legs. A person may keep a pair uneven, and a better price may give a
    surplus: neither is locked on both sides."""
    poly, kalshi = (Decimal(str(payload[f"{leg}_size"])) for leg in ("poly", "kalshi"))
    if poly == kalshi:
        return f"locked, {text(poly)} contracts on both sides"
    return f"held: {text(poly)} at Polymarket, {text(kalshi)} at Kalshi"
