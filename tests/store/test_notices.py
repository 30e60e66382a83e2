"""Alarms, the outbox and the audit trail."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from sqlmodel import select

from store import alarms, audit, outbox
from store.alarms import REPEAT_MS, Alarm
from store.errors import ClosesByItself, NotJournaled
from store.journal import Journal
from store.outbox import Backlog
from store.states import Severity
from store.tables import AuditRow
from tests.store.builders import NOW, an_act, put_message
from tests.support.places import plain

UNHEDGED = Alarm("unhedged:arb-1", "UNHEDGED", Severity.RED, "3 contracts at kalshi")


async def messages(journal: Journal, now_ms: int, lease_ms: int = 1_000) -> list[outbox.Message]:
    """What is due, without the announcement of the fixture's own settings."""
    claimed = await journal.write(now_ms, lambda s: outbox.claim(s, now_ms, lease_ms, 100))
    return [message for message in claimed if message.topic != "settings_changed"]


class TestAlarms:
    async def test_an_alarm_repeats_once_per_minute_until_somebody_has_seen_it(
        self, journal: Journal
    ) -> None:
        for at in (0, 10, REPEAT_MS - 1, REPEAT_MS, REPEAT_MS + 1):
            number = await journal.raise_alarm(UNHEDGED, NOW + at)
        assert len(await messages(journal, NOW + REPEAT_MS + 2)) == 2

        await journal.acknowledge_alarm(number, an_act(NOW + REPEAT_MS + 3))
        await journal.raise_alarm(UNHEDGED, NOW + 5 * REPEAT_MS)

        assert await messages(journal, NOW + REPEAT_MS + 4) == []
        [row] = await journal.read(alarms.open_alarms)
        assert (row.repeats, row.acknowledged_by, row.closed_ms) == (5, "ada", None)

    async def test_one_that_turns_red_is_told_at_once_also_to_whoever_has_seen_the_amber_one(
        self, journal: Journal
    ) -> None:
        amber = replace(UNHEDGED, severity=Severity.AMBER)
        number = await journal.raise_alarm(amber, NOW)
        await journal.acknowledge_alarm(number, an_act(NOW + 1))
        for at in (2, 3, 4):
            await journal.raise_alarm(UNHEDGED, NOW + at)
        told = [message.payload["severity"] for message in await messages(journal, NOW + 5)]
        assert told == ["amber", "red"]
        [row] = await journal.read(alarms.open_alarms)
        assert (row.severity, row.acknowledged_by) == ("red", None)

    async def test_a_red_one_that_nobody_has_seen_rings_again_without_being_raised(
        self, journal: Journal
    ) -> None:
        number = await journal.raise_alarm(UNHEDGED, NOW)
        await journal.raise_alarm(replace(UNHEDGED, key="k", severity=Severity.AMBER), NOW)
        for at in (1, REPEAT_MS - 1, REPEAT_MS, REPEAT_MS + 20_000, 3 * REPEAT_MS):
            await journal.write(NOW + at, lambda s, at=at: alarms.ring(s, NOW + at))  # type: ignore[misc]
        told = await messages(journal, NOW + 3 * REPEAT_MS)
        assert [m.payload["alarm_id"] for m in told].count(number) == 3

        await journal.acknowledge_alarm(number, an_act(NOW + 3 * REPEAT_MS))
        assert await journal.read(lambda s: alarms.silent(s, NOW + 9 * REPEAT_MS)) == []

    async def test_a_try_to_mend_a_red_one_leaves_it_red_and_seen(self, journal: Journal) -> None:
        number = await journal.raise_alarm(UNHEDGED, NOW)
        await journal.acknowledge_alarm(number, an_act(NOW + 1))
        for at, severity in enumerate((Severity.AMBER, Severity.RED, Severity.AMBER), 2):
            await journal.raise_alarm(replace(UNHEDGED, severity=severity), NOW + at)
        [row] = await journal.read(alarms.open_alarms)
        assert (row.severity, row.acknowledged_by) == ("red", "ada")
        assert len(await messages(journal, NOW + 9)) == 1

    async def test_it_closes_on_evidence_and_opens_anew(self, journal: Journal) -> None:
        first = await journal.raise_alarm(UNHEDGED, NOW)
        assert await journal.close_alarm(UNHEDGED.key, "sold 3 at 0.38", NOW + 9)
        assert not await journal.close_alarm(UNHEDGED.key, "again", NOW + 10)
        second = await journal.raise_alarm(UNHEDGED, NOW + 20)

        assert second != first
        newest, older = await journal.read(lambda s: alarms.page(s, 10))
        assert (older.id, older.evidence, older.closed_ms) == (first, "sold 3 at 0.38", NOW + 9)
        assert (newest.id, newest.closed_ms) == (second, None)
        told = [message.payload["state"] for message in await messages(journal, NOW + 30)]
        assert told == ["open", "closed", "open"]

    async def test_a_word_closes_what_only_a_person_can_know(self, journal: Journal) -> None:
        odd = Alarm("resolution:arb-1", "RESOLUTION_MISMATCH", Severity.RED, "paid 0.5 and 1")
        number = await journal.raise_alarm(odd, NOW)
        await journal.acknowledge_alarm(number, an_act(NOW + 1), "claim 7 was paid")
        [row] = await journal.read(lambda s: alarms.page(s, 10))
        assert (row.closed_ms, row.evidence) == (NOW + 1, "ada: claim 7 was paid")
        assert row.acknowledged_by == "ada"
        trail = await journal.read(lambda s: [r.action for r in s.exec(select(AuditRow))])
        assert trail[-2:] == ["acknowledge", "close"]

    async def test_a_word_closes_nothing_that_journal_and_venues_can_show(
        self, journal: Journal
    ) -> None:
        number = await journal.raise_alarm(UNHEDGED, NOW)
        with pytest.raises(ClosesByItself, match="a word closes only LATE_FILL and RESOLUTION"):
            await journal.acknowledge_alarm(number, an_act(NOW + 1), "I looked")
        [row] = await journal.read(alarms.open_alarms)
        assert row.acknowledged_by is None

    async def test_one_that_does_not_exist_cannot_be_acknowledged(self, journal: Journal) -> None:
        with pytest.raises(NotJournaled, match="no number 99"):
            await journal.acknowledge_alarm(99, an_act())


class TestOutbox:
    async def test_a_message_is_written_once_per_key(self, journal: Journal) -> None:
        assert await put_message(journal, "k", "note", {"n": "1"}, NOW)
        assert not await put_message(journal, "k", "note", {"n": "2"}, NOW)

        [message] = await messages(journal, NOW)
        assert (message.topic, message.payload, message.attempts) == ("note", {"n": "1"}, 1)

    async def test_what_is_claimed_is_hidden_until_its_lease_ends(self, journal: Journal) -> None:
        await put_message(journal, "k", "note", {}, NOW)

        assert len(await messages(journal, NOW, lease_ms=500)) == 1
        assert await messages(journal, NOW + 499) == []
        [again] = await messages(journal, NOW + 500)
        assert again.attempts == 2

    async def test_what_was_sent_is_never_handed_out_again(self, journal: Journal) -> None:
        await put_message(journal, "k", "note", {}, NOW)
        [message] = await messages(journal, NOW)
        await journal.write(NOW, lambda s: outbox.sent(s, message.id, NOW + 1))

        assert await messages(journal, NOW + 10**9) == []

    async def test_failures_back_off_to_a_bound_and_stay_in_the_backlog(
        self, journal: Journal
    ) -> None:
        await put_message(journal, "k", "note", {}, NOW)
        waits, now = [], NOW
        for _ in range(12):
            [message] = await messages(journal, now)
            report = partial(outbox.failed, message_id=message.id, error="?", now_ms=now)
            due = await journal.write(now, report)
            waits.append(due - now)
            now = due

        assert waits[:4] == [1_000, 2_000, 4_000, 8_000]
        assert waits[-1] == outbox.BACKOFF_MS_MAX
        assert await journal.read(outbox.backlog) == Backlog(2, NOW)

    async def test_messages_come_in_the_order_they_were_written(self, journal: Journal) -> None:
        for number in range(5):
            await put_message(journal, f"k{number}", "note", {"n": number}, NOW)
        assert [m.payload["n"] for m in await messages(journal, NOW)] == list(range(5))


class TestAudit:
    async def test_each_row_seals_the_one_before_it(self, journal: Journal) -> None:
        head = await journal.audit(an_act(), "close", "arb-1", {"by": "button"})
        assert await journal.read(audit.verify) is None
        assert await journal.read(audit.head) == head

    @pytest.mark.parametrize(
        "tampering",
        [
            "UPDATE audit SET actor = 'eve' WHERE id = 2",
            "UPDATE audit SET detail = '{}' WHERE id = 2",
            "DELETE FROM audit WHERE id = 2",
        ],
    )
    async def test_tampering_is_found_even_if_the_triggers_were_dropped(
        self, journal: Journal, tampering: str
    ) -> None:
        for number in range(3):
            await journal.audit(an_act(), "close", f"arb-{number}", {"n": number})
        raw = plain(journal.database.place)
        for trigger in ("audit_no_update", "audit_no_delete"):
            on_table = "" if isinstance(journal.database.place, Path) else " ON audit"
            raw.execute(f"DROP TRIGGER {trigger}{on_table}")
        raw.execute(tampering)
        raw.commit()
        raw.close()

        broken = await journal.read(audit.verify)

        assert broken is not None
        assert broken.id in (2, 3)

    async def test_a_halt_is_audited_and_keeps_its_first_reason(self, journal: Journal) -> None:
        await journal.halt("first", an_act())
        await journal.halt("second", an_act(NOW + 5, "bob"))
        state = await journal.run_state()
        assert (state.reason, state.by, state.since_ms) == ("first", "ada", NOW)
        await journal.resume(an_act(NOW + 9))

        assert (await journal.run_state()).stopped is None
        acts = [row.action for row in await journal.read(lambda s: audit.page(s, 3))]
        assert acts == ["resume", "halt", "halt"]
