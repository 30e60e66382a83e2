"""What every output of `--json` is built of."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Json = dict[str, Any]


class Part(BaseModel):
    """A closed object."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Output(Part):
    """What one command prints."""

    schema_version: Literal[1] = 1
