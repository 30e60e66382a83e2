"""One running system for the tests of this room; every test trades pairs of its own."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.stack import StackUnderTest, running_stack


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackUnderTest]:
    """Exchanges, Temporal, an executor and the API, as `lockstep run` starts them."""
    with running_stack(tmp_path_factory.mktemp("stack")) as started:
        yield started


@pytest.fixture(scope="module")
def held(stack: StackUnderTest) -> dict[str, Any]:
    """A locked pair, both legs final."""
    return stack.open()
