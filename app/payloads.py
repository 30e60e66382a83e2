"""How values become Temporal payloads: pydantic's JSON, with its readers built once per process.

Every workflow run makes a converter of its own. The SDK's would then build the readers of all
types anew (15 ms for an arbitrage, in the middle of its way to the venues).
"""

from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import CompositePayloadConverter, DataConverter

_shared = PydanticPayloadConverter()


class SharedPayloadConverter(CompositePayloadConverter):
    """Pydantic's payload converter; all instances use the same cache of readers."""

    def __init__(self) -> None:
        super().__init__(*_shared.converters.values())


DATA_CONVERTER = DataConverter(payload_converter_class=SharedPayloadConverter)
