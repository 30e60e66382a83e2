"""The image, made once for the tests that run it."""

from pathlib import Path

import pytest

from tests.deploy.image import build


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image's own files and packages: what runs here is what would run in a container."""
    folder = tmp_path_factory.mktemp("image") / "lockstep"
    folder.mkdir()
    build(folder)
    return folder
