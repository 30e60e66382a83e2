"""What the pages are made of: known files, no foreign address, within the size budget."""

import gzip
import hashlib
import re
import tomllib
from pathlib import Path

UI = Path(__file__).resolve().parents[2] / "ui"
VENDOR = UI / "static" / "vendor"
MANIFEST = tomllib.loads((VENDOR / "VENDOR.toml").read_text(encoding="utf-8"))["package"]
OWN = [
    path
    for path in UI.rglob("*")
    if path.is_file() and VENDOR not in path.parents and path.suffix in {".js", ".css", ".j2"}
]
ORIGIN = re.compile(r"""(?:https?|wss?)://[a-z0-9.-]+|["'(]//[a-z0-9]|@import|\burl\(""")
SIZE_MAX = 150_000


def test_every_vendored_file_is_the_published_one() -> None:
    for package in MANIFEST:
        for name, expected in package["files"].items():
            found = (VENDOR / package["folder"] / name).read_bytes()
            assert hashlib.sha256(found).hexdigest() == expected, f"{package['folder']}/{name}"


def test_nothing_else_is_vendored_and_every_package_has_its_licence() -> None:
    listed = {f"{p['folder']}/{name}" for p in MANIFEST for name in p["files"]}
    found = {str(path.relative_to(VENDOR)) for path in VENDOR.rglob("*") if path.is_file()}
    assert found - {"VENDOR.toml"} == listed
    for package in MANIFEST:
        assert package["licence"]
        assert "LICENSE" in package["files"]


def test_no_template_style_or_module_names_another_origin() -> None:
    assert len(OWN) > 30
    named = {path.name: ORIGIN.findall(path.read_text(encoding="utf-8")) for path in OWN}
    # The icon drawn by shell.js needs the name of the SVG namespace, which nothing fetches.
    assert {name: found for name, found in named.items() if found} == {
        "shell.js": ["http://www.w3.org"]
    }


def test_no_template_or_module_holds_inline_script_or_style() -> None:
    inline = re.compile(r"<script(?![^>]*\bsrc=)|\bstyle=|<style|\son[a-z]+=", re.I)
    found = [path.name for path in OWN if inline.search(path.read_text(encoding="utf-8"))]
    assert found == []


def test_scripts_and_styles_stay_within_the_budget() -> None:
    ours = [path for path in OWN if path.suffix in {".js", ".css"}]
    theirs = [
        p for p in VENDOR.rglob("*") if p.suffix in {".js", ".css"} and "swagger" not in str(p)
    ]
    size = sum(len(gzip.compress(path.read_bytes())) for path in ours + theirs)
    assert size < SIZE_MAX, f"{size} bytes gzipped"
