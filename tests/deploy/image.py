"""The image as far as it can be made without a container engine: its files, in a folder."""

import fnmatch
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.house.repository import files
from tests.support.processes import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
BUILD_SECONDS = 600


def lines_of(instruction: str, text: str = DOCKERFILE) -> list[str]:
    """The arguments of every such instruction, continued lines joined."""
    joined = text.replace("\\\n", " ")
    return re.findall(rf"^{instruction} (.*)$", joined, flags=re.MULTILINE)


def included(path: str) -> bool:
    """Whether .dockerignore lets a path into the build."""
    within = True
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.removeprefix("!").removeprefix("**/")
        if line.startswith("#") or not pattern:
            continue
        parts = path.split("/")
        above = ["/".join(parts[: n + 1]) for n in range(len(parts))]
        anywhere = parts if line.startswith("**/") else []
        if any(fnmatch.fnmatchcase(one, pattern) for one in above + anywhere):
            within = line.startswith("!")
    return within


def build(folder: Path) -> None:
    """Do in a folder what the Dockerfile's first stage does in its own, with this Python."""
    for path in files():
        if included(str(path)):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, folder / path)
    bin_folder = folder.parent / "bin"
    bin_folder.mkdir()
    (bin_folder / "python").symlink_to(Path(sys.base_prefix) / "bin" / "python3")
    first_stage = DOCKERFILE.split("\nFROM ")[1]
    for command in lines_of("RUN", first_stage):
        subprocess.run(
            ["/bin/sh", "-eu", "-c", command.replace("--no-cache-dir", "--quiet")],
            cwd=folder,
            env={"PATH": f"{bin_folder}:/usr/bin:/bin", "HOME": os.environ["HOME"]},
            check=True,
            timeout=BUILD_SECONDS,
        )
