"""One signer's token bucket for orders, and the headers that tell about it."""

from dataclasses import dataclass

from sim.polymarket.errors import ApiError


@dataclass(slots=True)
class Bucket:
    """Tokens in millionths, refilled by the clock in nanoseconds."""

    tokens: int
    at_ns: int

    def spend(self, orders: int, rate: int, burst: int, now_ns: int) -> dict[str, str]:
        """The headers of an admitted batch; ApiError 429 when the bucket has too little."""
        refill = (now_ns - self.at_ns) * rate // 1_000
        self.tokens, self.at_ns = min(burst * 1_000_000, self.tokens + refill), now_ns
        wanted = orders * 1_000_000
        if wanted > self.tokens:
            wait_s = -(-(wanted - self.tokens) // (rate * 1_000_000))
            headers = self._headers(wait_s)
            raise ApiError(429, "Too Many Requests", headers | {"Retry-After": str(wait_s)})
        self.tokens -= wanted
        return self._headers(0)

    def _headers(self, reset_s: int) -> dict[str, str]:
        return {
            "Poly-RateLimit-Remaining": str(self.tokens // 1_000_000),
            "Poly-RateLimit-Reset": str(reset_s),
            "Poly-RateLimit-Tier": "Standard",
        }
