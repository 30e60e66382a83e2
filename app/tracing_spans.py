"""What is done to each span on its way out. Only loaded where a collector is named."""

from collections.abc import Mapping, Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.trace import Event, ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Status
from opentelemetry.util.types import AttributeValue

from app.redaction import Redactor
from workflows import names

WORKFLOW_ID = "temporalWorkflowID"
ARB_ID = "lockstep.arb_id"


class ArbId(SpanProcessor):
    """Every span says which arbitrage it belongs to, whichever of its workflows carries it."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002
        """Before anything happens in it."""
        workflow_id = (span.attributes or {}).get(WORKFLOW_ID)
        if isinstance(workflow_id, str):
            span.set_attribute(ARB_ID, names.arb_of(workflow_id))


class Sieve(SpanExporter):
    """Stands before an exporter and keeps secrets out of what it tells: an exception's words are
    part of a span."""

    def __init__(self, told: SpanExporter, redact: Redactor) -> None:
        self._told, self._redact = told, redact

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Tell them."""
        return self._told.export([self._sifted(span) for span in spans])

    def shutdown(self) -> None:
        """Nothing more will come."""
        self._told.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Whether all of it was told in time."""
        return self._told.force_flush(timeout_millis)

    def _sifted(self, span: ReadableSpan) -> ReadableSpan:
        said = span.status.description
        return ReadableSpan(
            name=span.name,
            context=span.context,
            parent=span.parent,
            resource=span.resource,
            attributes=self._without_secrets(span.attributes),
            events=[
                Event(one.name, self._without_secrets(one.attributes), one.timestamp)
                for one in span.events
            ],
            links=span.links,
            kind=span.kind,
            status=Status(span.status.status_code, said and self._redact(said)),
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )

    def _without_secrets(
        self, attributes: Mapping[str, AttributeValue] | None
    ) -> dict[str, AttributeValue]:
        return {
            name: self._redact(value) if isinstance(value, str) else value
            for name, value in (attributes or {}).items()
        }
