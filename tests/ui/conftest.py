"""One Chromium for all; every test has its own server, context and list of complaints."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.support.browser import MISSING, Visitor, browsing, chromium
from tests.ui.support.pages import PageServer, serving

__all__ = ["Visitor"]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A real Chromium, or a skip that says how to get one."""
    path = chromium()
    if path is None:
        pytest.skip(MISSING)
    async with browsing(path) as one:
        yield one


@pytest_asyncio.fixture(loop_scope="session")
async def pages() -> AsyncIterator[PageServer]:
    """A server that this test alone talks to."""
    async with serving(PageServer()) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(browser: Browser, pages: PageServer) -> AsyncIterator[Visitor]:
    """Opens pages; a test fails on any CSP violation, console error or foreign request."""
    one = Visitor(browser, pages.url)
    yield one
    await one.close()
    assert one.complaints == []
