"""The application factory."""

from collections.abc import Callable

from fastapi import FastAPI
from temporalio.client import Client

from api import routes
from api.service import Service
from domain.venue import Mode
from store.journal import Journal


def create_app(
    journal: Journal, client: Client, mode: Mode, wall_ms: Callable[[], int], ui_url: str | None
) -> FastAPI:
    """The API over one journal and one Temporal client; `ui_url` is where the Temporal UI is."""
    app = FastAPI(title="Lockstep", docs_url=None, redoc_url=None)
    app.state.service = Service(journal, client, mode, wall_ms, ui_url)
    app.include_router(routes.router)
    return app
