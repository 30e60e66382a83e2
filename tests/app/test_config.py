"""Where settings come from, which one wins, and what a mistake is told."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from app.config import Config, default_data_dir
from app.config_sources import LoadedConfig, check_private, load_config
from app.errors import ConfigError, ExitCode
from domain.pair import Confidence
from domain.policy import ExecutorSettings
from domain.venue import Mode
from store.settings_values import Changes, parse

ETHEREUM_KEY = "0x" + "1f" * 32
PAIR: dict[str, object] = {
    "id": "rain",
    "title": "Will it rain?",
    "polymarket": {"condition_id": "0x" + "ab" * 32, "token_yes": "11", "token_no": "12"},
    "kalshi": {"ticker": "RAIN-26DEC"},
}


def pem(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def load(
    folder: Path, env: Mapping[str, str] | None = None, /, **overrides: object
) -> LoadedConfig:
    dotted = {key.replace("__", "."): value for key, value in overrides.items()}
    return load_config(dotted, env=env or {}, folder=folder)


def private(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


def live(folder: Path) -> dict[str, object]:
    key = private(folder / "kalshi.pem", pem(ed25519.Ed25519PrivateKey.generate()))
    return {
        "mode": "live",
        "polymarket__private_key": ETHEREUM_KEY,
        "polymarket__funder": "0x" + "cd" * 20,
        "polymarket__signature_type": 3,
        "kalshi__key_id": "k-1",
        "kalshi__private_key_file": str(key),
        "pairs": [PAIR],
    }


class TestOrder:
    def test_nothing_configured_is_the_simulated_mode(self, tmp_path: Path) -> None:
        loaded = load(tmp_path)
        assert loaded.config == Config()
        assert loaded.config.mode is Mode.SIM
        assert dict(loaded.origins) == {}

    def test_each_source_wins_over_the_ones_before_it(self, tmp_path: Path) -> None:
        key, variable = "temporal.address", "LOCKSTEP_TEMPORAL__ADDRESS"
        secrets = tmp_path / "secrets"
        secrets.mkdir()
        env: dict[str, str] = {}

        def found() -> tuple[str | None, str]:
            loaded = load(tmp_path, env)
            return loaded.config.temporal.address, loaded.origins[key].split()[0]

        (tmp_path / "lockstep.toml").write_text('[temporal]\naddress = "toml:1"\n')
        assert found() == ("toml:1", "file")
        env["LOCKSTEP_SECRETS_DIR"] = str(secrets)
        private(secrets / "temporal__address", "secret:2\n")
        assert found() == ("secret:2", "file")
        (tmp_path / ".env").write_text(f"{variable}=dotenv:3\nOTHER=1\n")
        assert found() == ("dotenv:3", "file")
        env["TEMPORAL_ADDRESS"] = "temporal:4"
        assert found() == ("temporal:4", "environment")
        env[variable] = "environment:5"
        assert found() == ("environment:5", "environment")
        loaded = load(tmp_path, env, temporal__address="command:6")
        assert loaded.config.temporal.address == "command:6"
        assert loaded.origins[key] == "command line"

    def test_a_named_file_replaces_the_one_in_the_folder(self, tmp_path: Path) -> None:
        (tmp_path / "lockstep.toml").write_text("[api]\nport = 1\n")
        other = tmp_path / "other.toml"
        other.write_text("[api]\nport = 2\n")
        assert load(tmp_path).config.api.port == 1
        assert load_config(config_file=other, env={}, folder=tmp_path).config.api.port == 2
        assert load(tmp_path, {"LOCKSTEP_CONFIG": str(other)}).config.api.port == 2

    def test_pairs_are_toml_tables_or_one_json_list(self, tmp_path: Path) -> None:
        from_env = load(tmp_path, {"LOCKSTEP_PAIRS": json.dumps([PAIR])}).config.pairs
        (tmp_path / "lockstep.toml").write_text(
            '[[pairs]]\nid = "rain"\ntitle = "Will it rain?"\n'
            f'polymarket = {{condition_id = "0x{"ab" * 32}", token_yes = "11", token_no = "12"}}\n'
            'kalshi = {ticker = "RAIN-26DEC"}\n'
        )
        assert load(tmp_path).config.pairs == from_env
        assert from_env[0].to_domain().confidence is Confidence.LOW
        rain = from_env[0].to_domain()
        assert (rain.token_yes, rain.token_no) == ("11", "12"), "they decide what may be bought"

    def test_a_reviewed_pair_is_of_high_confidence(self, tmp_path: Path) -> None:
        reviewed = PAIR | {"confidence": "reviewed"}
        (pair,) = load(tmp_path, pairs=[reviewed]).config.pairs
        assert pair.to_domain().confidence is Confidence.HIGH

    def test_modes_never_share_a_journal(self, tmp_path: Path) -> None:
        paths = {
            str(load(tmp_path, mode=mode, data_dir="/d").config.database_path)
            for mode in ("sim", "paper")
        }
        assert paths == {"/d/lockstep-sim.sqlite3", "/d/lockstep-paper.sqlite3"}

    def test_data_lives_where_the_platform_keeps_it(self) -> None:
        assert default_data_dir({"XDG_DATA_HOME": "/x"}, "linux") == Path("/x/lockstep")
        home = Path.home()
        assert default_data_dir({}, "linux") == home / ".local/share/lockstep"
        assert default_data_dir({}, "darwin") == home / "Library/Application Support/lockstep"


MISTAKES = [
    # setting, value, the whole message
    ("polymarket.clob_ulr", "x", "expected a known setting: did you mean polymarket.clob_url?"),
    ("colour", "x", "expected a known setting: see docs/configuration.md"),
    ("mode", "liv", "expected 'sim', 'paper' or 'live', found 'liv'"),
    ("api.port", "80x", "expected a valid integer, unable to parse string as an integer"),
    ("api.port", "70000", "expected less than or equal to 65535, found '70000'"),
    ("temporal.address", "here", "expected host:port, found 'here'"),
    ("kalshi.base_url", "kalshi.com", "expected an address that starts with https or http://"),
    ("polymarket.ws_url", "https://x", "expected an address that starts with wss or ws://"),
    ("polymarket.funder", "0x12", "expected 0x and 40 hex digits, found '0x12'"),
    ("kalshi.timeouts.read_ms", "0", "expected greater than or equal to 1, found '0'"),
    ("kalshi.balance_precision", "0.1", 'expected "0.0001" (direct member) or "0.01"'),
    ("polymarket.private_key", "hunter2", "expected a private key of 64 hex digits"),
    ("kalshi.private_key_pem", "hunter2", "expected an unencrypted private key in PEM"),
]


BEGINNINGS = [
    ({"MAX_BET": "20"}, {"max_bet": "20"}, ""),
    ({"MIN_BET": "12", "MAX_DAILY_TRADES": "7"}, {}, "max_bet must be at least min_bet 12"),
    ({"MAX_DAILY_LOSS": "-1"}, {}, "max_daily_loss must be"),
    ({"MIN_BET": "0.0000001"}, {}, "min_bet is no exact amount"),
    ({"ENABLED": "true"}, {}, "settings.enabled"),
]


@pytest.mark.parametrize(("given", "found", "mistake"), BEGINNINGS)
def test_settings_to_begin_with_are_checked_as_a_save_is(
    tmp_path: Path, given: Mapping[str, str], found: Changes, mistake: str
) -> None:
    env = {f"LOCKSTEP_SETTINGS__{name}": value for name, value in given.items()}
    if not mistake:
        first = load(tmp_path, env).config.settings.first()
        assert first == replace(ExecutorSettings(), **parse(found))
        return
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, env)
    assert mistake in str(caught.value)


class TestMistakes:
    @pytest.mark.parametrize(("key", "value", "message"), MISTAKES)
    def test_a_mistake_names_field_source_expected_and_found(
        self, tmp_path: Path, key: str, value: str, message: str
    ) -> None:
        variable = "LOCKSTEP_" + key.upper().replace(".", "__")
        with pytest.raises(ConfigError) as caught:
            load(tmp_path, {variable: value})
        assert str(caught.value).startswith(f"{key} (environment): {message}")
        assert caught.value.exit_code == ExitCode.CONFIGURATION

    @pytest.mark.parametrize("key", ["polymarket.private_key", "kalshi.private_key_pem"])
    def test_a_malformed_secret_is_not_repeated(self, tmp_path: Path, key: str) -> None:
        variable = "LOCKSTEP_" + key.upper().replace(".", "__")
        with pytest.raises(ConfigError, match="found a secret of 7 characters") as caught:
            load(tmp_path, {variable: "hunter2"})
        assert "hunter2" not in str(caught.value)

    def test_all_mistakes_are_told_at_once(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError) as caught:
            load(tmp_path, mode="x", api__port="y")
        assert len(str(caught.value).splitlines()) == 2

    def test_an_unknown_key_is_found_in_every_source(self, tmp_path: Path) -> None:
        (tmp_path / "lockstep.toml").write_text("[polymarket]\nclob = 1\n")
        (tmp_path / ".env").write_text("LOCKSTEP_KALSI__KEY_ID=1\n")
        with pytest.raises(ConfigError) as caught:
            load(tmp_path, {"LOCKSTEP_MODUS": "sim"}, api__prot=1)
        lines = str(caught.value).splitlines()
        assert [line.split()[0] for line in lines] == [
            "polymarket.clob",
            "kalsi.key_id",
            "modus",
            "api.prot",
        ]

    def test_a_pair_says_which_of_its_fields_is_wrong(self, tmp_path: Path) -> None:
        broken = PAIR | {"kalshi": {"ticker": "rain"}}
        with pytest.raises(ConfigError, match=r"pairs\.1\.kalshi\.ticker \(command line\): exp"):
            load(tmp_path, pairs=[PAIR, broken])

    def test_two_pairs_share_neither_an_id_nor_a_market_at_kalshi(self, tmp_path: Path) -> None:
        """Kalshi would net what one of them buys against what the other one holds."""
        named = PAIR | {"kalshi": {"ticker": "SNOW-26DEC"}}
        with pytest.raises(ConfigError, match="another") as caught:
            load(tmp_path, pairs=[PAIR, named])
        assert str(caught.value) == (
            "pairs.1.id (command line): expected an id of its own, found 'rain', which is that of "
            "pairs.0 too: give one of them another"
        )
        mirrored = PAIR | {"id": "drought"}
        with pytest.raises(ConfigError, match="keep one") as caught:
            load(tmp_path, pairs=[PAIR, mirrored])
        assert str(caught.value) == (
            "pairs.1.kalshi.ticker (command line): expected a market of its own, found "
            "'RAIN-26DEC', which pairs.0 trades too: keep one of the two pairs"
        )
        both = [PAIR, named | {"id": "snow"}]
        assert len(load(tmp_path, pairs=both).config.pairs) == 2
        with pytest.raises(ConfigError) as caught:
            load(tmp_path, {"LOCKSTEP_PAIRS": json.dumps([PAIR, PAIR, PAIR])})
        assert len(str(caught.value).splitlines()) == 4

    def test_a_file_that_is_not_toml_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "lockstep.toml").write_text("mode sim\n")
        with pytest.raises(ConfigError, match=r"lockstep\.toml: expected TOML, found"):
            load(tmp_path)

    def test_a_named_file_that_is_missing_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="expected a readable file, found No such file"):
            load_config(config_file=tmp_path / "none.toml", env={}, folder=tmp_path)


class TestSecrets:
    @pytest.mark.parametrize("mode", [0o604, 0o640, 0o644, 0o660])
    def test_a_file_that_others_may_read_is_refused(self, tmp_path: Path, mode: int) -> None:
        key = private(tmp_path / "key", ETHEREUM_KEY)
        key.chmod(mode)
        with pytest.raises(ConfigError, match=rf"expected mode 600, found {mode:o}: run `chmod"):
            load(tmp_path, polymarket__private_key_file=str(key))

    def test_a_configuration_file_with_a_secret_must_be_private_too(self, tmp_path: Path) -> None:
        file = tmp_path / "lockstep.toml"
        file.write_text(f'[polymarket]\nprivate_key = "{ETHEREUM_KEY}"\n')
        file.chmod(0o644)
        with pytest.raises(ConfigError, match="expected mode 600, found 644"):
            load(tmp_path)
        file.chmod(0o600)
        key = load(tmp_path).config.polymarket.private_key
        assert key is not None
        assert key.get_secret_value() == ETHEREUM_KEY

    def test_an_empty_file_of_the_secrets_folder_sets_nothing(self, tmp_path: Path) -> None:
        private(tmp_path / "polymarket__private_key", ETHEREUM_KEY + "\n")
        private(tmp_path / "kalshi__private_key_pem", "\n")
        loaded = load(Path(), {"LOCKSTEP_SECRETS_DIR": str(tmp_path)})
        assert set(loaded.origins) == {"polymarket.private_key"}
        assert loaded.config.kalshi.private_key_pem is None

    def test_a_missing_key_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"kalshi\.private_key_file: expected a readable"):
            check_private(tmp_path / "none", "kalshi.private_key_file")

    def test_a_key_and_a_key_file_are_one_too_many(self, tmp_path: Path) -> None:
        key = private(tmp_path / "key", ETHEREUM_KEY)
        with pytest.raises(ConfigError, match="expected only one of it"):
            load(
                tmp_path,
                polymarket__private_key=ETHEREUM_KEY,
                polymarket__private_key_file=str(key),
            )

    @pytest.mark.parametrize(
        "key",
        [ed25519.Ed25519PrivateKey.generate(), rsa.generate_private_key(65537, 2048)],
        ids=["ed25519", "rsa"],
    )
    def test_both_kinds_of_kalshi_key_are_read_from_a_file(
        self, tmp_path: Path, key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
    ) -> None:
        file = private(tmp_path / "kalshi.pem", pem(key))
        read = load(tmp_path, kalshi__private_key_file=str(file)).config.kalshi.private_key_pem
        assert read is not None
        assert read.get_secret_value() == pem(key).strip()

    def test_another_kind_of_key_is_refused(self, tmp_path: Path) -> None:
        text = pem(ec.generate_private_key(ec.SECP256R1()))
        with pytest.raises(ConfigError, match="expected an RSA or Ed25519 private key in PEM"):
            load(tmp_path, kalshi__private_key_pem=text)

    def test_api_credentials_come_together(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"or none, found polymarket\.secret"):
            load(tmp_path, polymarket__secret="s")

    def test_no_secret_shows_in_a_representation(self, tmp_path: Path) -> None:
        config = load(tmp_path, **live(tmp_path)).config
        shown = repr(config) + config.model_dump_json()
        assert ETHEREUM_KEY not in shown
        assert "PRIVATE KEY" not in shown


class TestLive:
    def test_everything_given_is_accepted(self, tmp_path: Path) -> None:
        assert load(tmp_path, **live(tmp_path)).config.mode is Mode.LIVE

    @pytest.mark.parametrize(
        ("without", "named"),
        [
            ("polymarket__private_key", "polymarket.private_key"),
            ("polymarket__funder", "polymarket.funder"),
            ("polymarket__signature_type", "polymarket.signature_type"),
            ("kalshi__key_id", "kalshi.key_id"),
            ("kalshi__private_key_file", "kalshi.private_key_pem"),
            ("pairs", "pairs"),
        ],
    )
    def test_what_is_missing_is_named(self, tmp_path: Path, without: str, named: str) -> None:
        values = live(tmp_path)
        del values[without]
        with pytest.raises(ConfigError) as caught:
            load(tmp_path, **values)
        assert str(caught.value) == f"{named}: expected a value in mode live, found none"

    def test_who_does_not_trade_needs_no_key_and_everything_else(self, tmp_path: Path) -> None:
        values = live(tmp_path)
        del values["polymarket__private_key"], values["kalshi__private_key_file"]
        dotted = {key.replace("__", "."): value for key, value in values.items()}
        config = load_config(dotted, env={}, folder=tmp_path, trades=False).config
        assert config.polymarket.private_key is None
        del dotted["pairs"]
        with pytest.raises(ConfigError, match="pairs: expected a value in mode live"):
            load_config(dotted, env={}, folder=tmp_path, trades=False)
