"""The chats as a page, for people who have no Telegram: read only, drawn anew every two seconds."""

import html
from collections.abc import Iterable

from sim.telegram.bot import Message

SECONDS = 2
_HEAD = f"""<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta http-equiv="refresh" content="{SECONDS}"><title>Simulated Telegram</title><style>
body {{ font: 15px/1.4 system-ui, sans-serif; max-width: 42rem; margin: 1rem auto; padding: 0 1rem;
  background: #10151c; color: #e6edf3; }}
article {{ background: #1b2430; border-radius: 8px; padding: .6rem .8rem; margin: .6rem 0; }}
pre {{ margin: 0; white-space: pre-wrap; font: inherit; }}
small, h1 {{ color: #9aa7b5; font-weight: normal; font-size: .85rem; }}
span {{ border: 1px solid #6cb6ff; border-radius: 6px; padding: 0 .5rem; margin-right: .4rem; }}
</style></head><body><h1>A simulated Telegram: what the bot tells its chats, the newest first.</h1>
"""


def page(messages: Iterable[Message]) -> str:
    """Every message as its chat shows it now."""
    shown = "".join(_message(one) for one in reversed(list(messages)))
    return f"{_HEAD}{shown or '<p>No message yet.</p>'}</body></html>"


def _message(one: Message) -> str:
    edits = len(one.texts) - 1
    notes = ["rings" if one.pings else "silent"]
    notes += [f"edited {edits} time{'' if edits == 1 else 's'}"] if edits else []
    labels = [button["text"] for row in one.buttons for button in row]
    buttons = "".join(f"<span>{html.escape(label)}</span>" for label in labels)
    text = html.escape(one.texts[-1])
    return (
        f"<article><pre>{text}</pre><p>{buttons}</p>"
        f"<small>chat {one.chat} · {' · '.join(notes)}</small></article>"
    )
