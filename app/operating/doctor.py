"""Is everything there that trading needs? Each answer with the command that mends it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import timedelta

import httpx
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from app import cluster
from app.config import Config
from app.errors import LockstepError, OlderJournalError
from app.links import wall_ms
from app.operating import accounts, machine, telegram
from app.operating.checks import bad, ok, warn
from app.operating.office import opened, whereabouts
from app.operating.outputs import Check
from app.operating.staff import temporal, temporal_address
from app.temporal_binary import SERVER_SERIES
from store import presence, reconciliation, run_state, schema
from store.presence import Presence
from workflows.story import SEARCH_ATTRIBUTES

READ_SECONDS = 5
COMPARED_MS_MAX = 15 * 60_000
RUN = "lockstep run"
EXECUTOR = "lockstep run executor"
EXECUTOR_LOG = "lockstep logs --process executor"

Examine = Callable[[Config], Awaitable[Iterable[Check]]]


async def examine(config: Config, origins: Mapping[str, str]) -> list[Check]:
    """Every check; one that fails stops none of the others."""
    checks = machine.examine(config, origins)
    for name, look in EXAMINED.items():
        try:
            checks += await look(config)
        except OlderJournalError as trouble:
            checks.append(bad(name, str(trouble), "lockstep db upgrade"))
        except LockstepError as trouble:
            checks.append(bad(name, str(trouble), RUN))
        except (httpx.HTTPError, RPCError, OSError) as trouble:
            checks.append(bad(name, f"{type(trouble).__name__}: {trouble}", RUN))
    return checks


async def _journal(config: Config) -> list[Check]:
    async with opened(config) as journal:
        state = await journal.read(run_state.read)
        alive = await journal.read(lambda s: presence.reports(s, wall_ms() - presence.ALIVE_MS))
        compared = await journal.read(reconciliation.read)
    checks = [ok("journal", f"{config.journal}, version {schema.newest()}")]
    if state.halted:
        said = f"halted by {state.by}: {state.reason}"
        checks.append(warn("entries", said, "lockstep unkill"))
    elif not state.enabled:
        checks.append(warn("entries", "paused", "lockstep resume"))
    else:
        checks.append(ok("entries", f"may leave, settings v{state.settings_version}"))
    if compared.restored is not None:
        checks.append(bad("books", compared.restored, "lockstep confirm-restore"))
    elif compared.whole_ms is None:
        checks.append(warn("books", "never compared with the venues", EXECUTOR))
    else:
        minutes = (wall_ms() - compared.whole_ms) // 60_000
        said = f"compared with both venues {minutes} min ago"
        old = wall_ms() - compared.whole_ms > COMPARED_MS_MAX
        checks.append(warn("books", said, EXECUTOR) if old else ok("books", said))
    sends = [one.name for one in alive if one.report.get("sends")]
    if not alive:
        checks.append(bad("executor", "none has reported lately", EXECUTOR))
    elif not sends:
        checks.append(warn("executor", "none holds the lease of the accounts", EXECUTOR))
    else:
        checks.append(ok("executor", f"{len(alive)} alive, {sends[0]} sends"))
    return [*checks, *_feeds(alive)]


def _feeds(alive: list[Presence]) -> list[Check]:
    """Venues that take no orders, and the sockets that books come through, as the executor says
    that sends."""
    one = presence.foremost(alive, "feeds")
    if one is None:
        return []
    feeds, shut = one.report["feeds"], one.report.get("shut")
    checks = [
        warn(f"{venue} orders", f"it takes none: {why}", EXECUTOR_LOG)
        for venue, why in (shut.items() if isinstance(shut, dict) else ())
    ]
    for venue, feed in feeds.items() if isinstance(feeds, dict) else ():
        name, state = f"{venue} feed", feed.get("state")
        said = f"{state}, newest book {feed.get('age_ms')} ms old, {feed.get('reason') or 'ok'}"
        if state == "down":
            checks.append(bad(name, said, EXECUTOR_LOG))
        else:
            checks.append(warn(name, said, EXECUTOR_LOG) if state == "stale" else ok(name, said))
    return checks


async def _temporal(config: Config) -> list[Check]:
    client = await temporal(config)
    await client.service_client.check_health(timeout=timedelta(seconds=READ_SECONDS))
    address, namespace = temporal_address(config), config.temporal.namespace
    listed = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=namespace)
    )
    missing = [key.name for key in SEARCH_ATTRIBUTES if key.name not in listed.custom_attributes]
    checks = [ok("temporal", f"{address}, namespace {namespace}")]
    if missing:
        repair = "lockstep doctor --fix"
        checks.append(bad("search attributes", f"missing: {', '.join(missing)}", repair))
    else:
        checks.append(ok("search attributes", f"all {len(SEARCH_ATTRIBUTES)}"))
    queue = config.temporal.task_queue
    checks += await _cluster(client, queue, config.temporal.address is not None)
    described = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=namespace,
            task_queue=TaskQueue(name=queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
    )
    pollers = {one.identity for one in described.pollers}
    if not pollers:
        checks.append(bad("workers", f"none polls {queue}", EXECUTOR))
    else:
        checks.append(ok("workers", f"{len(pollers)} on {queue}"))
    return checks


async def _cluster(client: Client, queue: str, of_others: bool) -> list[Check]:
    """What the server does of what we ask. An embedded one remembers for a day, as it was made."""
    checks = [
        (bad if one.refused else warn)(one.key, str(one), "lockstep doctor")
        for one in await cluster.lacks(client, queue)
    ] or [ok("temporal settings", f"as {cluster.DYNAMIC_FILE} has them")]
    if version := await cluster.other_series(client):
        said = f"server {version}: {SERVER_SERIES} was tested"
        checks.append(warn("temporal server", said, "lockstep replay-open"))
    if of_others and (kept := await cluster.forgets_after(client)):
        said = f"what has ended is remembered for {kept.days} days, {cluster.RETENTION.days} wanted"
        checks.append(warn("retention", said, "python -m app.prepare temporal"))
    return checks


async def _api(config: Config) -> list[Check]:
    here = whereabouts(config)
    address = f"http://{config.api.host}:{config.api.port}"
    base = here.urls.get("api", address) if here else address
    async with httpx.AsyncClient(trust_env=False, timeout=READ_SECONDS) as http:
        try:
            reply = await http.get(f"{base}/healthz")
        except httpx.HTTPError:
            return [bad("dashboard", f"{base} does not answer", "lockstep run api")]
    if reply.status_code != httpx.codes.OK:
        return [bad("dashboard", f"{base} answers {reply.status_code}", "lockstep logs")]
    return [ok("dashboard", f"{base}/executor")]


EXAMINED: dict[str, Examine] = {
    "journal": _journal,
    "temporal": _temporal,
    "dashboard": _api,
    "venues": accounts.examine,
    "telegram": telegram.examine,
}
