"""A client of the Temporal server that the configuration names."""

from collections.abc import Sequence

from temporalio.client import Client, Interceptor
from temporalio.runtime import Runtime
from temporalio.service import GrpcCompression, RPCError

from app.config import Config
from app.errors import ConfigError, DependencyError
from app.payloads import DATA_CONVERTER


async def connect(
    config: Config, runtime: Runtime | None = None, interceptors: Sequence[Interceptor] = ()
) -> Client:
    """A Temporal client, in this runtime or the process's own; DependencyError where the server
    does not answer. The interceptors stand in its workers too."""
    address = config.temporal.address
    if address is None:
        raise ConfigError("temporal.address: expected host:port, found none")
    try:
        return await Client.connect(
            address,
            namespace=config.temporal.namespace,
            data_converter=DATA_CONVERTER,
            grpc_compression=GrpcCompression.NONE,
            runtime=runtime,
            interceptors=interceptors,
        )
    except (RuntimeError, RPCError) as error:
        raise DependencyError(
            f"temporal.address: expected a server at {address}, found: {error}"
        ) from None
