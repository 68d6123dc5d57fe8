"""The headers that a dead letter has beside those of the record in, as a model. Its key and value are the record's."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from service.domain.codes import Code

Digits: TypeAlias = Annotated[str, Field(pattern=r"^[0-9]+$")]


def _header(name: str) -> str:
    return name.replace("_", "-")


class DeadLetterHeaders(BaseModel):
    """All are text in UTF-8. They tell of the first operation that failed."""

    model_config = ConfigDict(extra="allow", frozen=True, alias_generator=_header, populate_by_name=True)

    relay_code: Code = Field(description="See docs/codes.md.")
    relay_message: str | None = Field(None, description="For people; the system's own words.")
    relay_system: str | None = Field(None, description="Absent where no system is to blame.")
    relay_status: Digits | None = Field(None, description="Of HTTP; absent when no answer came.")
    relay_attempts: Digits
    relay_topic: str = Field(description="Where the record lay.")
    relay_partition: Digits
    relay_offset: Digits
    relay_failed_at: str = Field(description="RFC 3339, in UTC.")
