"""Every command of the chat: questions answered, what reduces risk done at once, the rest offered
with its numbers and a button."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlmodel import Session

from notify import answers, notices, tones, words
from notify.asked import Asked
from notify.compose import CLOSE, SEEN
from notify.ladder import CANCEL, CONFIRM, Expired, Ladder, Offer
from notify.options import Options, Role
from notify.ports import Preview, Refusal, Steward
from notify.rings import Rings
from notify.wire import Text
from store.audit import Act
from store.chats import Chat
from store.journal import Journal
from store.states import Tone

ACTS = frozenset(
    {
        "kill", "pause", "resume", "flatten", "mute", "loud", "quiet", "notify",
        CLOSE, SEEN, CONFIRM, CANCEL,
    }
)  # fmt: skip
NOT_TOLD = "this chat is told nothing by itself: telegram.chats does not name it"
KILL_REASON = "killed from Telegram"
_SPAN = re.compile(r"(\d{1,3})(m|min|h|d)")
_UNIT_MS = {"m": 60_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}


@dataclass(slots=True)
class Commands:
    """Answers one person at a time; `rings` keeps what a chat wants to hear, `senders` tells how
    the sending stands."""

    journal: Journal
    steward: Steward
    options: Options
    wall_ms: Callable[[], int]
    rings: Rings
    senders: Callable[[], list[str]]
    ladder: Ladder = field(default_factory=lambda: Ladder(time.monotonic))

    async def answer(self, asked: Asked, role: Role) -> Text:
        """What to say to a person whom the list knows."""
        try:
            if asked.stale:
                raise Refusal(
                    f"Not done: /{asked.verb} is {words.span(int(asked.age or 0) * 1000)} old. "
                    "Ask again; only what reduces risk is done late"
                )
            if asked.verb in ACTS:
                if role is not Role.TRADER:
                    raise Refusal(f"Not done: you may look, /{asked.verb} needs the role trader")
                return await self._act(asked)
            return Text(await self._question(asked))
        except (Refusal, Expired) as refused:
            return Text(f"✋ {words.safe(refused, 900)}")

    async def _question(self, asked: Asked) -> str:
        now_ms, options, wanted = self.wall_ms(), self.options, asked.words

        def read(session: Session) -> str:
            match asked.verb:
                case "positions":
                    return answers.positions_held(session, options, now_ms)
                case "trades":
                    return answers.trades(session, options, now_ms)
                case "profit":
                    return answers.profit(session, options, now_ms, wanted)
                case "daily":
                    return answers.today(session, options, now_ms)
                case "why":
                    return answers.why(session, options, now_ms, wanted)
                case "pairs":
                    return answers.pairs(session)
            seen = answers.read_board(session, options, now_ms)
            match asked.verb:
                case "status" | "start":
                    return answers.status(seen)
                case "balance":
                    return notices.balances(seen)
                case "limits":
                    return answers.limits(seen)
                case "health":
                    return answers.health(seen, self.senders)
            raise Refusal(f"/{asked.verb} is no command; /help lists them")

        if asked.verb == "help":
            return answers.help_text()
        if asked.verb == "version":
            return f"Lockstep {words.safe(options.version)} · {words.MODES[options.mode]}"
        return await self.journal.read(read)

    async def _act(self, asked: Asked) -> Text:
        act = Act(f"telegram:{asked.user_id}", "telegram", self.wall_ms())
        match asked.verb:
            case "kill":
                reason = " ".join(asked.words) or KILL_REASON
                said = await self.steward.kill(reason[:200], act)
                return Text(f"🛑 {words.safe(said, 900)}", buttons=(("Flatten…", "flatten:"),))
            case "pause":
                return Text(f"⏸ {words.safe(await self.steward.pause(act), 900)}")
            case "resume":
                return self._offer(asked, "resume", "", await self.steward.preview_resume())
            case "flatten":
                return self._offer(asked, "flatten", "", await self.steward.preview_flatten())
            case "close":
                arb_id = await self._named(asked)
                return self._offer(asked, "close", arb_id, await self.steward.preview_close(arb_id))
            case "seen":
                return Text(f"👀 {words.safe(await self.steward.acknowledge(_number(asked), act))}")
            case "mute" | "loud":
                return await self._quieten(asked)
            case "quiet":
                return await self._quiet_hours(asked)
            case "notify":
                return await self._tone(asked)
            case "no":
                self.ladder.take(asked.user_id, asked.words[0])
                return Text("Cancelled: nothing was changed")
        return Text(await self._confirmed(self.ladder.take(asked.user_id, asked.words[0]), act))

    async def _confirmed(self, offer: Offer, act: Act) -> str:
        match offer.verb:
            case "resume":
                said = await self.steward.resume(offer.version, act)
            case "close":
                said = await self.steward.close(offer.subject, offer.loss_max, offer.version, act)
            case _:
                said = await self.steward.flatten(offer.version, act)
        return f"✔️ {words.safe(said, 900)}"

    def _offer(self, asked: Asked, verb: str, subject: str, preview: Preview) -> Text:
        buttons = self.ladder.offer(asked.user_id, verb, subject, preview.version, preview.loss_max)
        return Text(
            words.lines(
                f"<b>{verb.capitalize()}? · {words.MODES[self.options.mode]}</b>",
                words.BAR,
                *(words.safe(line, 400) for line in preview.lines),
                "",
                "The button works once, for you, for 60 s",
            ),
            buttons=buttons,
        )

    async def _named(self, asked: Asked) -> str:
        typed = asked.words[0] if asked.words else ""
        if not typed:
            raise Refusal("close: expected the id of an arbitrage: /close ID (/positions has them)")
        return await self.journal.read(lambda s: answers.find(s, self.options.mode, typed))

    async def _quieten(self, asked: Asked) -> Text:
        typed = asked.words[0] if asked.words else "1h"
        found = _SPAN.fullmatch(typed)
        if asked.verb == "loud":
            span_ms = 0
        elif found is None:
            raise Refusal(f"mute: expected a time such as 30m, 1h or 2d, found {typed!r}")
        else:
            span_ms = int(found[1]) * _UNIT_MS[found[2]]
        until_ms = self.wall_ms() + span_ms if span_ms else 0
        chat = _told(await self.rings.mute(asked.chat_id, until_ms))
        if not span_ms and (chat.quiet or chat.tones):
            return Text("🔔 No longer muted; /quiet and /notify stay as they are")
        if not span_ms:
            return Text("🔔 Everything rings again in this chat")
        return Text(f"🔕 For {words.span(span_ms)} only what is critical rings in this chat")

    async def _quiet_hours(self, asked: Asked) -> Text:
        typed = " ".join(asked.words)
        chat = _told(self.rings.of(asked.chat_id))
        if typed:
            wanted = None if typed == "off" else tones.hours(typed)
            if wanted is None and typed != "off":
                raise Refusal(
                    f"quiet: expected hours in UTC such as 22:00-07:00, or off, found {typed!r}"
                )
            chat = _told(await self.rings.quiet(asked.chat_id, wanted))
        return Text(
            f"🌙 Quiet hours of this chat: {tones.shown(chat.quiet)}. "
            "What is critical rings all the same"
        )

    async def _tone(self, asked: Asked) -> Text:
        chat = _told(self.rings.of(asked.chat_id))
        if asked.words:
            kind, tone = (*asked.words, "", "")[:2]
            if kind not in tones.KINDS or tone not in tuple(Tone):
                raise Refusal(
                    f"notify: expected one of {', '.join(tones.KINDS)} and one of "
                    f"{', '.join(Tone)}, found {' '.join(asked.words)!r}"
                )
            chat = _told(await self.rings.tone(asked.chat_id, kind, Tone(tone)))
        told = [f"{kind}: {chat.tones.get(kind, Tone.ON)}" for kind in tones.KINDS]
        head = "<b>What this chat is told</b>"
        return Text(words.lines(head, words.BAR, *told, "", "What is critical is always told"))


def _told(chat: Chat | None) -> Chat:
    """The chat, if it is one that is told."""
    if chat is None:
        raise Refusal(NOT_TOLD)
    return chat


def _number(asked: Asked) -> int:
    typed = asked.words[0] if asked.words else ""
    if not typed.isdigit():
        raise Refusal(f"seen: expected the number of an alarm, found {typed!r}")
    return int(typed)
