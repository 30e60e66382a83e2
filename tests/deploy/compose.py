"""docker-compose.yml as a container engine reads it: merged, and its variables filled in."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.support.processes import ROOT

FILE = ROOT / "docker-compose.yml"
VARIABLE = re.compile(r"\$\{([A-Z_]+)(?::-([^}]*))?\}")
Service = dict[str, Any]


def read_yaml(path: Path) -> Any:
    """What a file says, with the types that YAML gives."""
    return YAML(typ="safe").load(path)


def compose(given: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The whole file with these variables of the shell; a default stands for one not given."""
    filled = _filled(read_yaml(FILE), given or {})
    assert isinstance(filled, dict)
    return filled


def services(given: Mapping[str, str] | None = None) -> dict[str, Service]:
    """Every service by its name."""
    found: dict[str, Service] = compose(given)["services"]
    return found


def ours(service: Service) -> bool:
    """Whether it runs in our image."""
    return "build" in service


def is_job(service: Service) -> bool:
    """Whether it runs once and ends: nobody asks it how it is."""
    return service.get("restart") == "no" and "healthcheck" not in service


def environment(service: Service) -> dict[str, str]:
    """What it is told by its environment, the files that it names included."""
    told: dict[str, str] = {}
    for name in service.get("env_file", []):
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        told |= dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return told | {name: str(value) for name, value in service.get("environment", {}).items()}


def needs(service: Service) -> dict[str, str]:
    """Which services must have come how far before it starts."""
    return {name: one["condition"] for name, one in service.get("depends_on", {}).items()}


def seconds(text: str) -> int:
    """A duration such as 30s."""
    assert re.fullmatch(r"\d+s", text), text
    return int(text[:-1])


def _filled(value: Any, given: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return VARIABLE.sub(lambda found: given.get(found[1], found[2] or ""), value)
    if isinstance(value, dict):
        return {name: _filled(one, given) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, given) for one in value]
    return value
