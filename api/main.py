"""The application factory."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI
from temporalio.client import Client

from api import pages, problems, socket
from api.auth import Auth
from api.commands import Commands
from api.guard import Guard, Names
from api.live import Live
from api.options import ApiOptions
from api.routes import executor, people, positions, probes, reads, settings
from api.service import Service
from api.steering import Steering
from domain.venue import Mode
from store.journal import Journal


def create_app(
    journal: Journal,
    client: Client,
    mode: Mode,
    wall_ms: Callable[[], int],
    options: ApiOptions,
) -> FastAPI:
    """The API over one journal and one Temporal client."""
    links = {"temporal_ui": options.temporal_ui, "namespace": options.namespace}
    live = Live(journal, client, mode, wall_ms, links, notifies=options.notifies)
    app = FastAPI(
        title="Lockstep",
        version=options.version,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
    )
    app.state.service = Service(
        journal=journal,
        client=client,
        mode=mode,
        wall_ms=wall_ms,
        options=options,
        live=live,
        commands=Commands(journal, mode, live, options.kill_file),
        steering=Steering(journal, client, live),
        auth=Auth(journal, options, wall_ms),
    )
    app.state.connections = socket.Connections()
    app.state.pages = pages.Pages(options)
    problems.install(app)
    for module in (probes, settings, executor, positions, reads, people, socket, pages):
        app.include_router(module.router)
    app.include_router(reads.status_router)
    app.include_router(people.login_router)
    app.mount(app.state.pages.static, app.state.pages.files())
    app.add_middleware(Guard, names=Names(options.hosts))
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """The live state runs while requests are served. If it fails, its failure is this process's."""
    live: Live = app.state.service.live
    await live.start()
    running = asyncio.create_task(live.run())
    try:
        yield
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
