"""One OpenTelemetry trace per arbitrage, for whoever names a collector; off without one.

The start of a workflow is the root of its trace, and everything its workers do for it hangs below
(temporal.md, section 5). A workflow that adopts the arbitrage begins a trace of its own:
`lockstep.arb_id` is on every span and finds both. Spans leave by a thread of their own; where the
collector is slow or gone they are lost, and no trade waits.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from temporalio.client import Interceptor

from app.config import Config
from app.errors import ConfigError
from app.redaction import Redactor, secrets_of

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

PATIENCE_S = 2
"""How long a collector may take to answer; also at the end, for what is left to be told."""


@asynccontextmanager
async def tracing(config: Config) -> AsyncIterator[list[Interceptor]]:
    """What a client is to be made with so that it and its workers are traced, while the block
    lasts; ConfigError where a collector is named and the packages of `lockstep[otel]` are missing.
    """
    endpoint = config.tracing.endpoint
    if endpoint is None:
        yield []
        return
    try:
        from temporalio.contrib.opentelemetry import TracingInterceptor

        provider = _provider(config, f"{endpoint}/v1/traces")
    except ImportError as missing:
        raise ConfigError(
            f"tracing.endpoint: expected the packages of lockstep[otel], found none ({missing}): "
            "install them, or leave the key out"
        ) from None
    try:
        yield [TracingInterceptor(provider.get_tracer("lockstep"))]
    finally:
        await asyncio.to_thread(provider.shutdown)


def _provider(config: Config, url: str) -> "TracerProvider":
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from app.tracing_spans import ArbId, Sieve

    about = {"service.name": "lockstep", "lockstep.mode": config.mode.value}
    provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=url, timeout=PATIENCE_S)
    provider.add_span_processor(ArbId())
    provider.add_span_processor(BatchSpanProcessor(Sieve(exporter, Redactor(secrets_of(config)))))
    return provider
