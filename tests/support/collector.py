"""A collector of traces: OTLP over HTTP, read by OpenTelemetry's own messages."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True, slots=True)
class Told:
    """One span as it arrived; ids in hex, `parent` empty for a root."""

    name: str
    trace: str
    span: str
    parent: str
    attributes: dict[str, str]


@dataclass(slots=True)
class Collector:
    """What was told so far; `hang_s` is how long it takes to answer."""

    url: str = ""
    hang_s: float = 0
    bodies: list[bytes] = field(default_factory=list)

    def spans(self) -> list[Told]:
        """All of it, read."""
        return [told for body in self.bodies for told in _read(body)]


@contextmanager
def collector(hang_s: float = 0) -> Iterator[Collector]:
    """One on a port of its own."""
    collected = Collector(hang_s=hang_s)
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            assert self.path == "/v1/traces", self.path
            collected.bodies.append(body)
            ended.wait(collected.hang_s)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    collected.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield collected
    finally:
        ended.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _read(body: bytes) -> Iterator[Told]:
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Told(
                    span.name,
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    {one.key: one.value.string_value for one in span.attributes},
                )
