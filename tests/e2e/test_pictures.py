"""The pictures of the documents can be taken: `python -m tests.shots` takes them anew."""

from pathlib import Path

import pytest

from tests.e2e.floor import Floor
from tests.e2e.pictures import take
from tests.support.browser import Visitor

ROOT = Path(__file__).resolve().parents[2]
PNG = b"\x89PNG\r\n\x1a\n"
BYTES_LEAST = 40_000


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.slow
@pytest.mark.temporal
@pytest.mark.timeout(300)
async def test_both_pages_are_photographed_in_three_themes(
    floor: Floor, visitor: Visitor, tmp_path: Path
) -> None:
    taken = await take(floor, visitor, tmp_path)
    assert len(taken) == 6
    for picture in taken:
        data = picture.read_bytes()
        assert data.startswith(PNG), picture.name
        assert len(data) > BYTES_LEAST, f"{picture.name} is nearly empty"
        shown = ROOT / "docs" / "pictures" / picture.name
        assert shown.is_file(), f"{picture.name} is missing: python -m tests.shots"
