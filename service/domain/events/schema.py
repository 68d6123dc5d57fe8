"""How the models are written down as JSON Schema: for readers, so without made-up titles and without defaults that
mean "absent".
"""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import WithDefaultSchema

Model = TypeVar("Model", bound=BaseModel)


class _Readable(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: object) -> bool:
        return False

    def default_schema(self, schema: WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


def schema_of(adapter: TypeAdapter[Model]) -> JsonSchemaValue:
    """JSON Schema (draft 2020-12) of what the adapter takes; shared parts under `$defs`."""
    return adapter.json_schema(schema_generator=_Readable)
