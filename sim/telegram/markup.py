"""What Telegram checks in a text of parse mode HTML before it accepts it."""

import re

TAGS = frozenset({"b", "i", "u", "s", "code", "pre", "a", "tg-spoiler", "blockquote"})
TEXT_MAX = 4_096
_TAG = re.compile(r"<(/?)([a-zA-Z-]+)((?:\s[^>]*)?)>")
_ENTITY = re.compile(r"&(lt|gt|amp|quot|#\d+|#x[0-9a-fA-F]+);")


class BadText(ValueError):
    """A text that Telegram refuses, in its words."""


def plain(text: str, parse_mode: str | None) -> str:
    """The text as a reader sees it; BadText where it cannot be read or is too long."""
    shown = _without_tags(text) if parse_mode == "HTML" else text
    if not shown.strip():
        raise BadText("message text is empty")
    if len(shown.encode("utf-16-le")) // 2 > TEXT_MAX:
        raise BadText("message is too long")
    return shown


def _without_tags(text: str) -> str:
    opened: list[str] = []
    shown: list[str] = []
    at = 0
    for tag in _TAG.finditer(text):
        shown.append(_words(text[at : tag.start()]))
        at = tag.end()
        name = tag[2].lower()
        if name not in TAGS:
            raise BadText(f'can\'t parse entities: Unsupported start tag "{name}"')
        if not tag[1]:
            opened.append(name)
        elif not opened or opened.pop() != name:
            raise BadText(f"can't parse entities: Unexpected end tag at byte offset {at}")
    shown.append(_words(text[at:]))
    if opened:
        raise BadText(f"can't parse entities: Can't find end tag corresponding to {opened[-1]}")
    return "".join(shown)


def _words(text: str) -> str:
    if "<" in text:
        raise BadText('can\'t parse entities: Unsupported start tag "" at a lone "<"')
    for name, character in (("lt", "<"), ("gt", ">"), ("quot", '"')):
        text = text.replace(f"&{name};", character)
    return _ENTITY.sub(_number, text).replace("&amp;", "&")


def _number(found: re.Match[str]) -> str:
    name = found[1]
    if not name.startswith("#"):
        return found[0]
    return chr(int(name[2:], 16) if name[1] == "x" else int(name[1:]))
