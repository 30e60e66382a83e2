"""What every request must pass before anything reads it: Host, Origin, form, size; and what every
answer carries.

Loopback is no wall against a browser: a foreign page may send requests here, and a foreign name
may be pointed at this address. So the Host must be one of ours, and whatever may have an effect
must come from a page of ours or from no page at all.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import Problem

BODY_MAX = 64 * 1024
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types lit-html"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class Names:
    """The host names that this API answers to, without ports."""

    hosts: frozenset[str]

    def knows_host(self, header: str | None) -> bool:
        """Whether a Host header names us."""
        return header is not None and _host(f"//{header}") in self.hosts

    def same_origin(self, origin: str, host: str | None) -> bool:
        """Whether an Origin header is a page of ours: the very host and port that were asked."""
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        return (
            parts.scheme in {"http", "https"}
            and host is not None
            and parts.netloc == host
            and self.knows_host(host)
        )


class Guard:
    """ASGI middleware; see the module."""

    def __init__(self, app: ASGIApp, names: Names) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse or pass on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if scope["type"] == "websocket":
            if refusal is None:
                await self._app(scope, receive, send)
            else:
                # Before the handshake there is no close code: the client reads HTTP 403.
                await send({"type": "websocket.close"})
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    told.setdefault(name, value)
            await send(message)

        if refusal is not None:
            await refusal.response(scope["path"])(scope, receive, answer)
            return
        await self._app(scope, _limited(receive), answer)

    def _refusal(self, scope: Scope, headers: Headers) -> Problem | None:
        host = headers.get("host")
        if not self._names.knows_host(host):
            return Problem(421, "unknown_host", f"expected a host of ours, found {host!r}")
        origin = headers.get("origin")
        bearer = headers.get("authorization", "").lower().startswith("bearer ")
        if scope["type"] == "websocket":
            if origin is None and bearer:
                return None
            if origin is None or not self._names.same_origin(origin, host):
                return Problem(403, "foreign_origin", f"expected our origin, found {origin!r}")
            return None
        if scope["method"] in SAFE:
            return None
        return self._cross_site(headers, origin, host, bearer) or _form(headers)

    def _cross_site(
        self, headers: Headers, origin: str | None, host: str | None, bearer: bool
    ) -> Problem | None:
        """A browser says where a request comes from; what says nothing is no browser."""
        site = headers.get("sec-fetch-site")
        if bearer and site is None:
            return None
        foreign = origin is not None and not self._names.same_origin(origin, host)
        if foreign or site not in (None, "same-origin", "none"):
            found = f"origin {origin!r}, Sec-Fetch-Site {site!r}"
            return Problem(403, "foreign_origin", f"expected a page of ours, found {found}")
        return None


def _form(headers: Headers) -> Problem | None:
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > BODY_MAX:
        return Problem(413, "too_large", f"expected at most {BODY_MAX} bytes, found {length}")
    has_body = length != "0" or "transfer-encoding" in headers
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if has_body and kind != "application/json":
        return Problem(415, "not_json", f"expected application/json, found {kind or 'nothing'}")
    return None


def _limited(receive: Receive) -> Receive:
    """The body of a request without a length is counted as it comes."""
    taken = 0

    async def counted() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > BODY_MAX:
            raise Problem(413, "too_large", f"expected at most {BODY_MAX} bytes, found more")
        return message

    return counted


def _host(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
