"""What the doctor looks at on this machine alone: program, files, folders, configuration."""

import hashlib
import os
import shutil
import sys
import tomllib
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from app.config import Config
from app.fitness import MEGABYTE, problem
from app.operating.checks import bad, ok, warn
from app.operating.outputs import Check
from app.web import UI
from store.kill_file import KillFile

VENDOR = UI / "static" / "vendor"
DATA_FOLDER = "data folder"
JOURNAL_FOLDER = "journal folder"


def examine(config: Config, origins: Mapping[str, str]) -> list[Check]:
    """Everything that needs no connection."""
    return [
        ok("python", sys.version.split()[0]),
        _configuration(config, origins),
        _signing(),
        *folders(config),
        _assets(),
        _entries(config),
    ]


def _configuration(config: Config, origins: Mapping[str, str]) -> Check:
    """Where the values come from. Files with secrets that others can read never get this far."""
    sources = ", ".join(dict.fromkeys(origins.values())) or "defaults alone"
    return ok("configuration", f"mode {config.mode}, from {sources}")


def _signing() -> Check:
    try:
        return ok("polymarket client", f"py-clob-client-v2 {version('py-clob-client-v2')}")
    except PackageNotFoundError:
        return bad("polymarket client", "py-clob-client-v2 is not installed", "make setup")


def folders(config: Config) -> list[Check]:
    """Whether the data folder, and that of the journal's file where it is another one, can be
    written and have room; of one that will be made, the folder above."""
    names = (DATA_FOLDER, JOURNAL_FOLDER)
    named = zip(names, config.folders, strict=False)
    return [_folder(name, folder, config.trade.disk_mb_min) for name, folder in named]


def _folder(name: str, wanted: Path, free_mb_min: int) -> Check:
    folder = existing(wanted)
    if not os.access(folder, os.W_OK | os.X_OK):
        return bad(name, f"{folder} cannot be written", f"chmod u+rwx {folder}")
    free_mb = shutil.disk_usage(folder).free // MEGABYTE
    short = problem(free_mb, free_mb_min, None)
    if short is not None:
        said = f"{wanted}: {short} (trade.disk_mb_min), so that no entry leaves"
        return bad(name, said, f"du -sh {wanted}/*")
    return ok(name, f"{wanted}, {free_mb} MB free")


def existing(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    while not folder.exists():
        folder = folder.parent
    return folder


def _assets() -> Check:
    """The pages' vendored files, by the hashes of their manifest."""
    manifest = tomllib.loads((VENDOR / "VENDOR.toml").read_text(encoding="utf-8"))
    count, changed = 0, []
    for package in manifest["package"]:
        for name, expected in package["files"].items():
            count += 1
            if _sha256(VENDOR / package["folder"] / name) != expected:
                changed.append(f"{package['folder']}/{name}")
    if changed:
        said = f"not the published files: {', '.join(changed[:3])}"
        return bad("page files", said, f"git checkout {VENDOR}")
    return ok("page files", f"{count} vendored files as published")


def _sha256(path: Path) -> str | None:
    """The hash of a file; None where it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def _entries(config: Config) -> Check:
    """The file that stops every entry."""
    why = KillFile(config.data_dir).reason() if config.data_dir.exists() else None
    if why is None:
        return ok("kill file", "none")
    return warn("kill file", why, "lockstep unkill")
