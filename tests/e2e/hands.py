"""Two ways to use a page: by keyboard alone on a desk, and by finger alone on a small phone."""

from dataclasses import dataclass

from playwright.async_api import CDPSession, Locator, Page

from tests.support.browser import Visitor

TABS_MAX = 250
WAYS = ("keyboard", "finger")


@dataclass(slots=True)
class Hand:
    """Whoever uses a page; a control that cannot be reached fails the test."""

    page: Page
    finger: CDPSession | None

    async def press(self, target: Locator) -> None:
        """Press a button, follow a link."""
        if self.finger is not None:
            await target.tap()
        else:
            await self.reach(target)
            await self.page.keyboard.press("Enter")

    async def write(self, target: Locator, text: str) -> None:
        """Replace what a field holds."""
        if self.finger is not None:
            await target.tap()
        else:
            await self.reach(target)
        await self.page.keyboard.press("ControlOrMeta+A")
        await self.page.keyboard.type(text)

    async def choose(self, target: Locator, label: str) -> None:
        """Choose an option of a list."""
        if self.finger is not None:
            await target.select_option(label)
            return
        await self.reach(target)
        place = "(list, label) => [...list.options].findIndex((one) => one.text === label)"
        wanted = await target.evaluate(place, label)
        for _ in range(await target.locator("option").count()):
            at = await target.evaluate("list => list.selectedIndex")
            if at == wanted:
                return
            await self.page.keyboard.press("ArrowDown" if at < wanted else "ArrowUp")
        raise AssertionError(f"{target}: {label!r} is not reached by arrow keys")

    async def hold(self, target: Locator, until: Locator) -> None:
        """Hold a button down until something shows."""
        if self.finger is None:
            await self.reach(target)
            await self.page.keyboard.down("Space")
            await until.wait_for()
            await self.page.keyboard.up("Space")
            return
        await target.scroll_into_view_if_needed()
        box = await target.bounding_box()
        assert box is not None, "the button has a place"
        place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        touch = {"type": "touchStart", "touchPoints": [place]}
        await self.finger.send("Input.dispatchTouchEvent", touch)
        await until.wait_for()
        await self.finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    async def reach(self, target: Locator) -> None:
        """Tab until it has the focus."""
        await target.wait_for()
        for _ in range(TABS_MAX):
            if await target.evaluate("element => element === document.activeElement"):
                return
            await self.page.keyboard.press("Tab")
        raise AssertionError(f"{target} is not reached by {TABS_MAX} tabs")


async def hand_of(visitor: Visitor, way: str, path: str = "/executor") -> Hand:
    """A page in the hands of somebody: 1440 pixels and keys, or 320 pixels and a finger."""
    if way == "keyboard":
        return Hand(await visitor.open(path), None)
    page = await visitor.open(path, width=320, height=640, touch=True)
    return Hand(page, await page.context.new_cdp_session(page))
