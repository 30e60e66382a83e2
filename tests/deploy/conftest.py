"""The image, made once for the tests that run it, and an installation of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.temporal import Server
from tests.deploy.image import build
from tests.deploy.installation import Installation, installed
from tests.support.postgres import throwaway


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image's own files and packages: what runs here is what would run in a container."""
    folder = tmp_path_factory.mktemp("image") / "lockstep"
    folder.mkdir()
    build(folder)
    return folder


@pytest.fixture
def installation(tmp_path: Path, image: Path, server: Server) -> Iterator[Installation]:
    """An installation whose database has its roles and nothing else, and the Temporal server of the
    test's own module."""
    with throwaway() as postgres, installed(tmp_path, image, postgres, server.address) as made:
        yield made
