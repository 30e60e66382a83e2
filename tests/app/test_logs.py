"""Every line says what it is about, and none holds a secret."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from app.config_sources import load_config
from app.logs import set_up_logs
from app.redaction import HIDDEN, Redactor, secrets_of

TOKEN = "7654321:CANARY-canary-CANARY-canary-CANARY9"
PEM = (
    "-----BEGIN PRIVATE KEY-----\nMIICANARYcanaryCANARY\nline2canary+/=\n-----END PRIVATE KEY-----"
)
KEY = "0x" + "c0ffee" * 10 + "abcd"


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What the log of a process holds; afterwards logging is as it was."""
    root, before, hook = logging.getLogger(), logging.getLogger().handlers[:], sys.excepthook
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    environment = {
        "LOCKSTEP_TELEGRAM__TOKEN": TOKEN,
        "LOCKSTEP_TELEGRAM__CHATS": "[1]",
        "LOCKSTEP_POLYMARKET__PRIVATE_KEY": KEY,
        "LOCKSTEP_LOG__LEVEL": "debug",
    }
    set_up_logs("executor", load_config(env=environment, folder=tmp_path).config)
    yield stream
    for handler in root.handlers:
        handler.close()
    root.handlers[:] = before
    root.setLevel(logging.WARNING)
    sys.excepthook = hook


ABOUT = ("arb_id", "leg", "venue", "correlation_id")


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_every_line_has_the_four_fields(written: io.StringIO) -> None:
    logging.getLogger("app.intake").info("%s was started before", "arb-0a1b")
    logging.getLogger("venues.kalshi.feed").warning("books: polling")
    logging.getLogger("anything").info("nothing in particular")
    with structlog.contextvars.bound_contextvars(
        arb_id="arb-7", venue="polymarket", leg="polymarket entry", correlation_id="arb-7/place.1"
    ):
        logging.getLogger("activities.send").info("answered")
    intake, feed, anything, bound = lines(written)
    assert all(set(ABOUT) <= set(line) for line in (intake, feed, anything, bound))
    assert (intake["arb_id"], feed["venue"], anything["arb_id"]) == ("arb-0a1b", "kalshi", None)
    assert anything["correlation_id"].startswith("executor-")
    assert [bound[name] for name in ABOUT] == [
        "arb-7",
        "polymarket entry",
        "polymarket",
        "arb-7/place.1",
    ]


def test_an_exception_goes_through_the_same_sieve(written: io.StringIO) -> None:
    try:
        raise RuntimeError(f"https://api.example/bot{TOKEN}/getMe with {KEY}")
    except RuntimeError:
        logging.getLogger("x").exception("failed with %s", KEY.removeprefix("0x"))
    text = written.getvalue()
    assert "RuntimeError" in text
    assert text.count(HIDDEN) >= 3
    assert TOKEN not in text
    assert KEY[2:] not in text


def test_what_ends_a_process_is_logged_and_hidden(written: io.StringIO) -> None:
    error = ValueError(f"token {TOKEN}")
    sys.excepthook(ValueError, error, None)
    [line] = lines(written)
    assert (line["level"], line["event"]) == ("critical", "the process ends")
    assert TOKEN not in written.getvalue()


def test_a_terminal_gets_readable_lines_and_the_file_json(
    tmp_path: Path, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(written, "isatty", lambda: True)
    monkeypatch.setattr("sys.stderr", written)
    monkeypatch.setenv("LOCKSTEP_DATA_DIR", str(tmp_path))
    set_up_logs("api", load_config(folder=tmp_path).config)
    logging.getLogger("x").warning("both ways")
    assert "both ways" in written.getvalue()
    assert not written.getvalue().startswith("{")
    [line] = (tmp_path / "logs" / "api.log").read_text().splitlines()
    assert json.loads(line)["event"] == "both ways"


PATTERNS = """
    https://api.telegram.org/bot1234567:AAEabcdefghijklmnopqrstuvwxyz0123456/getMe
    Authorization: Bearer abcdefghijklmnop.qrst
    {"POLY_PASSPHRASE": "abcdefghijklmnop"}
    POLY_SIGNATURE=abcdefghijklmnop
    'secret': 'abcdefghijklmnop'
    private_key = abcdefghijklmnop
    kalshi-access-signature: abcdefghijklmnop
"""


@pytest.mark.parametrize("text", PATTERNS.strip().split("\n"))
def test_what_looks_like_a_secret_is_hidden_untold(text: str) -> None:
    found = Redactor()(text)
    assert HIDDEN in found
    assert "abcdefghijklmnop" not in found


@pytest.mark.parametrize(
    "text",
    [
        "arb-0a1b2c3d: polymarket holds 21 of 0x" + "ab" * 32,
        "expected 0.500000, found 0.410000 at 2026-11-20T13:32:15.123Z",
        "telegram.token: Telegram does not know it",
    ],
)
def test_evidence_stays_readable(text: str) -> None:
    assert Redactor([TOKEN, KEY])(text) == text


def test_a_private_key_is_hidden_whole_and_line_by_line() -> None:
    redact = Redactor([PEM])
    for text in (PEM, json.dumps({"key": PEM}), "MIICANARYcanaryCANARY", "x line2canary+/= y"):
        assert "anary" not in redact(text)
    assert "MIICANARY" not in Redactor()(f"key: {PEM} end")


@given(
    st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=6, max_size=40),
    st.text(max_size=50),
    st.text(max_size=50),
)
def test_no_form_of_a_value_survives(secret: str, before: str, after: str) -> None:
    redact = Redactor([secret])
    for form in (secret, json.dumps(secret)[1:-1]):
        assert secret not in redact(f"{before} {form} {after}").replace(HIDDEN, "\x00")


def test_every_secret_of_the_configuration_is_known_to_the_sieve(tmp_path: Path) -> None:
    environment = {
        "LOCKSTEP_TELEGRAM__TOKEN": TOKEN,
        "LOCKSTEP_TELEGRAM__CHATS": "[1]",
        "LOCKSTEP_POLYMARKET__PRIVATE_KEY": KEY,
        "LOCKSTEP_POLYMARKET__API_KEY": "canary-api-key",
        "LOCKSTEP_POLYMARKET__SECRET": "canary-secret",
        "LOCKSTEP_POLYMARKET__PASSPHRASE": "canary-passphrase",
        "LOCKSTEP_API__PASSWORD_HASH": "canary-hash",
    }
    found = set(secrets_of(load_config(env=environment, folder=tmp_path).config))
    assert found == set(environment.values()) - {"[1]"}
