"""Values cross to the workflow by reference: they are immutable, and nothing has to be parsed."""

from collections.abc import Sequence
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadConverter


class ByReference(PayloadConverter):
    """A payload names its value by number. One per arbitrage."""

    def __init__(self) -> None:
        self._values: list[Any] = []

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        """Remember the values."""
        return [self.payload(value) for value in values]

    def from_payloads(
        self, payloads: Sequence[Payload], type_hints: list[type] | None = None
    ) -> list[Any]:
        """The values."""
        return [self._values[int(payload.data)] for payload in payloads]

    def payload(self, value: Any) -> Payload:
        """One value."""
        self._values.append(value)
        return Payload(metadata={"encoding": b"reference"}, data=b"%d" % (len(self._values) - 1))

    def value(self, payload: Payload) -> Any:
        """What a payload names."""
        return self._values[int(payload.data)]
