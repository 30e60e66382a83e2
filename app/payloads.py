"""How values become Temporal payloads: pydantic's JSON, with one reader per type and process.

Every workflow run makes a payload converter of its own. The SDK's would build the readers of all
types anew for each (10 ms and more for an arbitrage, in the middle of its way to the venues).
"""

from functools import cache
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import to_json
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    EncodingPayloadConverter,
)


@cache
def _reader(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


class _Json(EncodingPayloadConverter):
    """Reads and writes what `PydanticJSONPlainPayloadConverter` does."""

    @property
    def encoding(self) -> str:
        """How such payloads are marked."""
        return "json/plain"

    def to_payload(self, value: Any) -> Payload:
        """Any value that pydantic can write."""
        return Payload(metadata={"encoding": b"json/plain"}, data=to_json(value))

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """A value of the wanted type; pydantic's ValidationError where it is none."""
        return _reader(Any if type_hint is None else type_hint).validate_json(payload.data)


_CONVERTERS = {**PydanticPayloadConverter().converters, b"json/plain": _Json()}


class PayloadConverter(CompositePayloadConverter):
    """Pydantic's payload converter, with readers that outlive a workflow."""

    def __init__(self) -> None:
        super().__init__(*_CONVERTERS.values())


DATA_CONVERTER = DataConverter(payload_converter_class=PayloadConverter)


def prepare(*kinds: type) -> None:
    """Build the readers of these types now, so that the first trade does not wait for them."""
    for kind in kinds:
        _reader(kind)
