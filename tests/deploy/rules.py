"""What every service of docker-compose.yml keeps to; each rule yields what breaks it."""

import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from app.config_sources import NOT_SETTINGS, PREFIX, is_secret, known_keys
from tests.deploy.compose import Service, environment, is_job, ours, seconds
from tests.support.processes import ROOT

Rule = Callable[[Service], Iterator[str]]
SECRETS = "/run/secrets"
SECRET_NAME = re.compile(r"PASSWORD|PWD|SECRET|TOKEN|PRIVATE_KEY|API_KEY|PASSPHRASE|PEM|_URL$")
PINNED = re.compile(r"[a-z0-9-]+(/[a-z0-9-]+)?:[0-9]+\.[0-9]+[A-Za-z0-9.-]*")
GRACE_S = 15


def published_on_loopback_only(service: Service) -> Iterator[str]:
    """A port of a container is open to the whole world unless it says otherwise."""
    for port in service.get("ports", []):
        if not re.fullmatch(r"127\.0\.0\.1:\d+:\d+", str(port)):
            yield f"port {port}"
    if service.get("network_mode"):
        yield f"network mode {service['network_mode']}"


def an_image_by_its_version(service: Service) -> Iterator[str]:
    """A tag that moves is another program tomorrow; a host's name would bind to one registry."""
    if not ours(service) and not PINNED.fullmatch(service["image"]):
        yield f"image {service['image']}"


def not_root(service: Service) -> Iterator[str]:
    """A user and a group of its own."""
    user, _, group = str(service.get("user", "")).partition(":")
    if user in ("", "0", "root") or group in ("", "0", "root"):
        yield f"user {service.get('user')}"


def a_root_that_cannot_be_written(service: Service) -> Iterator[str]:
    """What must be written is a named volume, or gone with the container."""
    if service.get("read_only") is not True:
        yield "root can be written"
    if not any(one.startswith("/tmp:size=") for one in service.get("tmpfs", [])):  # noqa: S108
        yield "no bounded /tmp"
    for volume in service.get("volumes", []):
        source, *rest = volume.split(":")
        if source.startswith(("/", "~", "..")) or (source.startswith(".") and rest[-1] != "ro"):
            yield f"volume {volume}"


def no_capabilities(service: Service) -> Iterator[str]:
    """Nothing of root's power, now or later."""
    if service.get("cap_drop") != ["ALL"] or service.get("cap_add"):
        yield "capabilities"
    if service.get("security_opt") != ["no-new-privileges:true"] or service.get("privileged"):
        yield "new privileges"
    if service.get("pid") or service.get("ipc") or service.get("devices"):
        yield "a namespace or a device of the host"


def bounded(service: Service) -> Iterator[str]:
    """One that runs wild takes nothing from the others; its log fills no disk."""
    limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
    for name in ("cpus", "memory", "pids"):
        if name not in limits:
            yield f"no limit of {name}"
    if "max-size" not in service.get("logging", {}).get("options", {}):
        yield "no limit of its log"


def says_whether_it_works(service: Service) -> Iterator[str]:
    """A health check with an end, unless it runs once."""
    if is_job(service):
        return
    check = service.get("healthcheck", {})
    if check.get("test", ["NONE"])[0] != "CMD":
        yield f"health check {check}"
    for name in ("interval", "timeout", "start_period", "retries"):
        if name not in check:
            yield f"health check without {name}"


def ends_in_order(service: Service) -> Iterator[str]:
    """What is in flight has the worker's grace to end."""
    if seconds(service.get("stop_grace_period", "10s")) < GRACE_S:
        yield f"{service.get('stop_grace_period')} to stop"
    if service.get("init") is not True:
        yield "nobody passes signals on"
    if service.get("restart") not in ("unless-stopped", "no"):
        yield f"restart {service.get('restart')}"


def secrets_are_files(service: Service) -> Iterator[str]:
    """The environment is shown by the engine, inherited by children and dumped by crashes."""
    for name, value in environment(service).items():
        key = name.removeprefix(PREFIX).lower().replace("__", ".")
        secret = is_secret(key) if name.startswith(PREFIX) else bool(SECRET_NAME.search(name))
        if secret and not value.startswith(SECRETS + "/"):
            yield f"{name} in the environment"


def secrets_have_a_reader(service: Service) -> Iterator[str]:
    """A secret is a setting of ours, or one that the other program's start reads."""
    told = environment(service)
    for name in service.get("secrets", []):
        if ours(service):
            if told.get("LOCKSTEP_SECRETS_DIR") != SECRETS:
                yield f"nobody looks for {name}"
            if not is_secret(name.replace("__", ".")):
                yield f"secret {name}"
        elif f"{SECRETS}/{name}" not in told.values() and name not in _scripts(service):
            yield f"nobody reads {name}"


def settings_are_known(service: Service) -> Iterator[str]:
    """Every LOCKSTEP_ variable is a setting."""
    for name in environment(service):
        if name.startswith(PREFIX) and name not in NOT_SETTINGS:
            key = name.removeprefix(PREFIX).lower().replace("__", ".")
            if key not in known_keys():
                yield name


def _scripts(service: Service) -> str:
    """The scripts of ours that it is given."""
    folders = [ROOT / one.split(":")[0] for one in service.get("volumes", []) if one[0] == "."]
    files = [file for folder in folders for file in sorted(folder.iterdir())]
    return "\n".join(one.read_text() for one in files if PurePosixPath(one).suffix == ".sh")


RULES: tuple[Rule, ...] = (
    published_on_loopback_only,
    an_image_by_its_version,
    not_root,
    a_root_that_cannot_be_written,
    no_capabilities,
    bounded,
    says_whether_it_works,
    ends_in_order,
    secrets_are_files,
    secrets_have_a_reader,
    settings_are_known,
)
