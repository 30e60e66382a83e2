"""One system per file of tests, one Chromium for all, a visitor per test."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.e2e.floor import Floor, open_floor
from tests.support.browser import MISSING, Visitor, browsing, chromium

PATIENCE_MS = 30_000
"""A busy machine may take long; a failure may, too."""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A real Chromium, or a skip that says how to get one."""
    path = chromium()
    if path is None:
        pytest.skip(MISSING)
    async with browsing(path) as one:
        yield one


@pytest.fixture(scope="package", autouse=True)
def patience() -> Iterator[None]:
    """How long the browser's expectations wait here."""
    expect.set_options(timeout=PATIENCE_MS)
    yield
    expect.set_options(timeout=5_000)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def floor(browser: Browser) -> AsyncIterator[Floor]:
    """A running system; it is not started where there is no browser."""
    async with open_floor() as one:
        yield one


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(browser: Browser, floor: Floor) -> AsyncIterator[Visitor]:
    """Opens pages; a test fails on any CSP violation, console error or foreign request."""
    one = Visitor(browser, floor.stack.urls["api"], PATIENCE_MS)
    yield one
    await one.close()
    assert one.complaints == []
