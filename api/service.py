"""What routes and sockets share: one journal, one live state, one way to act."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import HTTPConnection
from temporalio.client import Client

from api.auth import Auth
from api.commands import Commands
from api.live import Live
from api.options import ApiOptions
from api.steering import Steering
from domain.venue import Mode
from store.journal import Journal


@dataclass(frozen=True, slots=True)
class Service:
    """One API process. `wall_ms` is the wall clock in milliseconds."""

    journal: Journal
    client: Client
    mode: Mode
    wall_ms: Callable[[], int]
    options: ApiOptions
    live: Live
    commands: Commands
    steering: Steering
    auth: Auth


def service_of(connection: HTTPConnection) -> Service:
    """The service of the application that serves this connection."""
    service: Service = connection.app.state.service
    return service
