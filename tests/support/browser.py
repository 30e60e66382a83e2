"""One real Chromium, and visitors who open its pages and collect what those complain about."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = "no Chromium found: install one, or run `playwright install chromium`"
THEMES = ("dark", "light", "colour-blind")
COLLECT = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""


def chromium() -> str | None:
    """A Chromium on this machine: named by the environment, on PATH, or Playwright's own."""
    named = os.environ.get("LOCKSTEP_CHROMIUM")
    found = named or next((path for name in NAMES if (path := shutil.which(name))), None)
    if found:
        return found
    cache = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH", Path.home() / ".cache/ms-playwright"))
    return next((str(path) for path in sorted(cache.glob("chromium-*/chrome-linux/chrome"))), None)


@asynccontextmanager
async def browsing(path: str) -> AsyncIterator[Browser]:
    """A running Chromium, ended with the block."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        await browser.close()


@dataclass
class Visitor:
    """Opens pages of one address. `complaints` are CSP violations, console errors and requests to
    anywhere else; what holds a part of `allowed` is none."""

    browser: Browser
    url: str
    timeout_ms: int = 8_000
    complaints: list[str] = field(default_factory=list)
    allowed: tuple[str, ...] = ()
    _contexts: list[BrowserContext] = field(default_factory=list)

    async def open(
        self,
        path: str = "/executor",
        *,
        theme: str = "dark",
        width: int = 1440,
        height: int = 900,
        ready: bool = True,
        motion: str = "no-preference",
        touch: bool = False,
    ) -> Page:
        """A page of a fresh context; with `ready`, once the first state is drawn."""
        context = await self.browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="light" if theme == "light" else "dark",
            reduced_motion=motion,  # type: ignore[arg-type]
            has_touch=touch,
            timezone_id="UTC",
        )
        self._contexts.append(context)
        context.set_default_timeout(self.timeout_ms)
        await context.add_init_script(COLLECT)
        await context.add_init_script(f"localStorage.setItem('lockstep.theme', '{theme}')")
        page = await context.new_page()
        page.on("console", lambda m: self._complain(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: self._complain(f"error: {error}"))
        page.on("request", lambda request: self._watch(request.url))
        page.on("websocket", lambda socket: self._watch(socket.url))
        await page.goto(self.url + path)
        if ready:
            await page.wait_for_selector("body[data-link='live']")
        return page

    def _complain(self, text: str) -> None:
        if not any(part in text for part in self.allowed):
            self.complaints.append(text)

    def _watch(self, url: str) -> None:
        home = self.url.removeprefix("http")
        if not url.startswith(("http" + home, "ws" + home, "data:")):
            self.complaints.append(f"foreign request: {url}")

    async def close(self) -> None:
        """End every context."""
        for context in self._contexts:
            await context.close()
