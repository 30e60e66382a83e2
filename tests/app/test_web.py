"""Where the API may listen, as a table: mode, configuration, and what comes of it."""

import pytest

from app.config import Config
from app.config_sources import load_config
from app.errors import ConfigError, ExitCode
from app.web import api_options, is_loopback
from domain.venue import Mode

HASH = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA"
# Further names (api.hosts) | password | TLS in front | what comes of it. A name from elsewhere is
# as good as an address beyond this machine.
NAMED = """
    trading.example            | no  | no  | refused
    trading.example            | yes | no  | refused
    trading.example            | no  | yes | refused
    trading.example            | yes | yes | login
    192.168.1.7                | no  | no  | refused
    localhost, trading.example | no  | no  | refused
    localhost                  | no  | no  | open
    127.0.0.1, ::1, LOCALHOST  | no  | no  | open
    trading.example            | no  | published | login
"""
# host | password | TLS in front (or a port published on loopback) | mode | what comes of it
STARTS = """
    127.0.0.1    | no  | no  | sim   | open
    127.0.0.1    | no  | no  | paper | open
    ::1          | no  | no  | sim   | open
    localhost    | no  | no  | sim   | open
    127.0.0.1    | yes | yes | sim   | login
    0.0.0.0      | no  | no  | sim   | refused
    0.0.0.0      | yes | no  | sim   | refused
    0.0.0.0      | no  | yes | sim   | refused
    0.0.0.0      | yes | yes | sim   | login
    192.168.1.7  | no  | no  | paper | refused
    ::           | no  | no  | sim   | refused
    example.org  | no  | no  | sim   | refused
    0.0.0.0      | no  | published | sim  | login
    0.0.0.0      | yes | published | live | login
    127.0.0.1    | no  | published | sim  | open
"""


def cells(table: str) -> list[tuple[str, ...]]:
    """The cells of each line."""
    lines = [line for line in table.splitlines() if line.strip()]
    return [tuple(cell.strip() for cell in line.split(" | ")) for line in lines]


def configured(host: str, password: str, tls: str, mode: str) -> Config:
    """A configuration with these values."""
    values: dict[str, object] = {"api.host": host, "api.behind_tls": tls == "yes"}
    values["api.published_on_loopback"] = tls == "published"
    if password == "yes":
        values["api.password_hash"] = HASH
    config = load_config(values, env={}).config
    return config.model_copy(update={"mode": Mode(mode)})


@pytest.mark.parametrize(("host", "password", "tls", "mode", "outcome"), cells(STARTS))
def test_nobody_can_come_in_unasked(
    host: str, password: str, tls: str, mode: str, outcome: str
) -> None:
    config = configured(host, password, tls, mode)
    if outcome == "refused":
        with pytest.raises(ConfigError, match=r"api\.host: expected a loopback address") as refused:
            api_options(config)
        assert refused.value.exit_code is ExitCode.CONFIGURATION
        return
    options = api_options(config)
    assert options.login_required is (outcome == "login")
    assert options.secure is (tls == "yes")
    assert host in options.hosts


@pytest.mark.parametrize(("names", "password", "tls", "outcome"), cells(NAMED))
def test_a_name_from_elsewhere_opens_no_door(
    names: str, password: str, tls: str, outcome: str
) -> None:
    config = configured("127.0.0.1", password, tls, "sim")
    hosts = tuple(name.strip() for name in names.split(","))
    config = config.model_copy(update={"api": config.api.model_copy(update={"hosts": hosts})})
    if outcome == "refused":
        with pytest.raises(ConfigError, match=r"api\.hosts: expected .* found ") as refused:
            api_options(config)
        assert hosts[-1] in str(refused.value)
        assert refused.value.exit_code is ExitCode.CONFIGURATION
        return
    options = api_options(config)
    assert options.login_required is (outcome == "login")
    assert {name.lower() for name in hosts} <= options.hosts


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True),
     ("0.0.0.0", False), ("10.0.0.1", False), ("localhost.example", False)],
)  # fmt: skip
def test_loopback_is_known(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
