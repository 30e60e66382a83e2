"""docker-compose.yml: valid, hardened, in order, and of one mind with the program."""

import subprocess
import sys
from graphlib import TopologicalSorter
from typing import Any

import pytest

from app.temporal import DYNAMIC_CONFIG
from app.temporal_binary import SERVER_SERIES
from tests.deploy import rules
from tests.deploy.compose import (
    FILE,
    Service,
    compose,
    environment,
    is_job,
    needs,
    ours,
    read_yaml,
    services,
)
from tests.deploy.rules import RULES, Rule
from tests.support.processes import ROOT

WANTED = {
    "postgresql", "temporal-schema", "temporal", "temporal-namespace", "temporal-ui", "journal",
    "executor", "api", "notifier", "sim", "sim-settings",
}  # fmt: skip
PROFILES = {"notifier": ["telegram"], "sim": ["sim"], "sim-settings": ["sim"]}
SHARDS_MIN = 64
BROKEN: list[tuple[Rule, dict[str, Any]]] = [
    (rules.published_on_loopback_only, {"ports": ["8321:8321"]}),
    (rules.published_on_loopback_only, {"ports": ["0.0.0.0:8321:8321"]}),
    (rules.published_on_loopback_only, {"network_mode": "host"}),
    (rules.an_image_by_its_version, {"image": "postgres"}),
    (rules.an_image_by_its_version, {"image": "postgres:latest"}),
    (rules.an_image_by_its_version, {"image": "registry.example/postgres:17.11"}),
    (rules.not_root, {"user": None}),
    (rules.not_root, {"user": "0:0"}),
    (rules.not_root, {"user": "1000"}),
    (rules.a_root_that_cannot_be_written, {"read_only": False}),
    (rules.a_root_that_cannot_be_written, {"tmpfs": []}),
    (rules.a_root_that_cannot_be_written, {"volumes": ["/var/run/docker.sock:/s:ro"]}),
    (rules.a_root_that_cannot_be_written, {"volumes": ["./deploy/etc:/etc/lockstep"]}),
    (rules.no_capabilities, {"cap_drop": []}),
    (rules.no_capabilities, {"cap_add": ["NET_ADMIN"]}),
    (rules.no_capabilities, {"security_opt": []}),
    (rules.no_capabilities, {"privileged": True}),
    (rules.no_capabilities, {"pid": "host"}),
    (rules.bounded, {"deploy": {"resources": {"limits": {"cpus": "1", "memory": "1G"}}}}),
    (rules.bounded, {"logging": {}}),
    (rules.says_whether_it_works, {"healthcheck": {"test": ["NONE"]}}),
    (rules.says_whether_it_works, {"healthcheck": {"test": ["CMD", "true"]}}),
    (rules.ends_in_order, {"stop_grace_period": "10s"}),
    (rules.ends_in_order, {"init": False}),
    (rules.ends_in_order, {"restart": "always"}),
    (rules.secrets_are_files, {"environment": {"POSTGRES_PASSWORD": "hunter2"}}),
    (rules.secrets_are_files, {"environment": {"LOCKSTEP_DATABASE__URL": "postgresql://a@b/c"}}),
    (rules.secrets_have_a_reader, {"secrets": ["database__uri"]}),
    (rules.secrets_have_a_reader, {"secrets": ["api__host"]}),
    (rules.settings_are_known, {"environment": {"LOCKSTEP_API__PROT": "1"}}),
]


def test_it_is_a_compose_file_by_the_specification() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run(
        [*command, str(FILE)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_is_missing() -> None:
    found = services()
    assert set(found) == WANTED
    assert {name: one["profiles"] for name, one in found.items() if "profiles" in one} == PROFILES


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("name", sorted(WANTED))
def test_every_service_keeps_the_rule(name: str, rule: Rule) -> None:
    assert list(rule(services()[name])) == []


@pytest.mark.parametrize(("rule", "broken"), BROKEN, ids=lambda one: getattr(one, "__name__", ""))
def test_a_rule_finds_what_breaks_it(rule: Rule, broken: dict[str, Any]) -> None:
    name = "postgresql" if "image" in broken else "executor"
    assert list(rule({**services()[name], **broken}))


def test_who_is_waited_for_is_there_and_says_when() -> None:
    found = services()
    for name, service in found.items():
        for other, condition in needs(service).items():
            job = is_job(found[other])
            expected = "service_completed_successfully" if job else "service_healthy"
            assert condition == expected, f"{name} waits for {other}"
            optional = service["depends_on"][other].get("required") is False
            profiles = set(found[other].get("profiles", [])) - set(service.get("profiles", []))
            assert optional is bool(profiles), f"{name} without {other}"


def test_everything_starts_after_what_it_needs() -> None:
    found = services()
    order = list(TopologicalSorter({n: needs(one) for n, one in found.items()}).static_order())
    expected = ["postgresql", "temporal-schema", "temporal", "temporal-namespace", "sim-settings",
                "journal", "executor"]  # fmt: skip
    assert [name for name in order if name in expected] == expected
    for name in ("executor", "api", "notifier"):
        assert {"postgresql", "temporal", "temporal-namespace", "journal"} <= set(
            needs(found[name])
        )


def test_database_and_temporal_have_no_way_out_and_no_way_in() -> None:
    file = compose()
    assert file["networks"]["inside"] == {"internal": True}
    for name in ("postgresql", "temporal", "temporal-schema", "sim"):
        service = file["services"][name]
        assert (service["networks"], service.get("ports", [])) == (["inside"], [])


def test_volumes_and_secrets_are_declared_and_used() -> None:
    file = compose({"DEPLOY_SECRETS": "/elsewhere"})
    used = {one.split(":")[0] for s in file["services"].values() for one in s.get("volumes", [])}
    assert {one for one in used if one[0] != "."} == set(file["volumes"])
    named = {one for service in file["services"].values() for one in service.get("secrets", [])}
    assert named == set(file["secrets"])
    for name, one in file["secrets"].items():
        assert one == {"file": f"/elsewhere/{name}"}


def test_only_who_trades_knows_the_keys() -> None:
    """Whoever breaks into the pages finds no key of a venue there."""
    for name, service in services().items():
        keys = [one for one in service.get("secrets", []) if one.startswith(("polymarket", "kals"))]
        assert bool(keys) is (name == "executor"), name
    assert "telegram__token" in services()["notifier"]["secrets"]


def test_every_process_shares_what_stops_entries() -> None:
    """The file KILL, the anchors and the notifier's lock are in the data folder."""
    for name in ("executor", "api", "notifier", "journal", "sim-settings"):
        service = services()[name]
        folder = environment(service)["LOCKSTEP_DATA_DIR"]
        assert f"lockstep-data:{folder}" in service["volumes"]


def test_variables_of_the_shell_are_not_taken_for_settings() -> None:
    """`lockstep` reads .env as well, and refuses a LOCKSTEP_ name that it does not know."""
    assert "${LOCKSTEP" not in FILE.read_text(encoding="utf-8")


def test_temporal_is_the_version_that_is_tested() -> None:
    server, tools = services()["temporal"]["image"], services()["temporal-schema"]["image"]
    version = server.removeprefix("temporalio/server:")
    assert version.startswith(f"{SERVER_SERIES}.")
    assert tools.startswith(f"temporalio/admin-tools:{version}-")


def test_the_server_has_shards_enough_and_no_secret_of_its_own() -> None:
    text = (ROOT / "deploy/temporal/server.yaml").read_text(encoding="utf-8")
    told = read_yaml(ROOT / "deploy/temporal/server.yaml")
    persistence = told["persistence"]
    assert persistence["numHistoryShards"] >= SHARDS_MIN
    for store in ("defaultStore", "visibilityStore"):
        sql = persistence["datastores"][persistence[store]]["sql"]
        assert sql["password"] == '{{ env "SQL_PASSWORD" }}'
    assert text.startswith("# enable-template\n")
    reachable = [n for n, s in told["services"].items() if s["rpc"]["bindOnIP"] != "127.0.0.1"]
    assert reachable == ["frontend"]
    assert told["dynamicConfigClient"]["filepath"] == "dynamic.yaml"


def test_a_server_of_others_is_asked_for_what_the_embedded_one_gets() -> None:
    told = read_yaml(ROOT / "deploy/temporal/dynamic.yaml")
    ours_of_it = {name: told[name][0]["value"] for name in DYNAMIC_CONFIG}
    spelled = {name: str(value).lower() for name, value in ours_of_it.items()}
    assert spelled == {name: value.strip('"') for name, value in DYNAMIC_CONFIG.items()}


def test_the_temporal_pages_have_no_button_that_endangers_a_trade() -> None:
    told = environment(services()["temporal-ui"])
    for action in ("WORKFLOW_TERMINATE", "WORKFLOW_RESET", "BATCH_ACTIONS", "START_WORKFLOW"):
        assert told[f"TEMPORAL_{action}_DISABLED"] == "true"


def test_the_containers_of_our_image_are_built_of_this_clone() -> None:
    found: dict[str, Service] = {n: one for n, one in services().items() if ours(one)}
    assert set(found) == WANTED - {"postgresql", "temporal", "temporal-schema", "temporal-ui"}
    assert {one["image"] for one in found.values()} == {"lockstep:local"}
    user = services({"DEPLOY_UID": "1234", "DEPLOY_GID": "99"})["executor"]
    assert user["user"] == "1234:99"
    assert user["build"]["args"] == {"RUN_UID": "1234", "RUN_GID": "99"}
