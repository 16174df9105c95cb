"""What a project declares in data_catalog.yaml: frozen blocks, whose first slip is named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from smallarea.errors import InputError


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("the text is blank")
    return text


#: Text that says something.
Said = Annotated[str, AfterValidator(_said)]


class Declared(BaseModel):
    """A block without fields that nobody reads."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Kind = TypeVar("Kind", bound=BaseModel)


def read_block(block: Mapping[str, Any], kind: type[Kind], name: str, remedy: str) -> Kind:
    """Validate the block of data_catalog.yaml called `name`.

    Raises
    ------
    InputError : a field is unknown, missing or out of range; the first is named.
    """
    try:
        return kind.model_validate(block)
    except ValidationError as error:
        first = error.errors()[0]
        entry = ".".join(map(str, (name, *first["loc"])))
        raise InputError(
            first["msg"].removeprefix("Value error, "),
            where=f"data_catalog.yaml, {entry}",
            remedy=remedy,
        ) from None
