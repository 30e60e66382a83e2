"""One real Chromium, and visitors who open its pages and collect what those complain about.

`python -m tests.support.browser` prints where that Chromium is, or fails with how to get one.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
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
APPLICATIONS = (
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
)
MISSING = "no Chromium found: `scripts/bootstrap --browser` gets one"
PLAYWRIGHTS_OWN = """
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)
"""
THEMES = ("dark", "light", "colour-blind")
COLLECT = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""


def chromium() -> str | None:
    """A Chromium on this machine: named by the environment, on PATH, an application, or
    Playwright's own."""
    named = os.environ.get("LOCKSTEP_CHROMIUM")
    found = named or next((path for name in NAMES if (path := shutil.which(name))), None)
    found = found or next((str(path) for path in APPLICATIONS if path.is_file()), None)
    return found or _playwrights_own()


@cache
def _playwrights_own() -> str | None:
    """Playwright's own Chromium, if it is installed and starts: it brings no system libraries.

    Only the driver knows the place. It is asked by a process of its own: here a loop may run.
    """
    asked = [sys.executable, "-c", PLAYWRIGHTS_OWN]
    done = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=60)
    place = done.stdout.strip()
    if not Path(place).is_file():
        return None
    tried = subprocess.run([place, "--version"], capture_output=True, check=False, timeout=60)
    return place if tried.returncode == 0 else None


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


if __name__ == "__main__":
    place = chromium()
    if place is None:
        sys.exit(MISSING)
    print(place)  # noqa: T201
