"""What a project declares in data_catalog.yaml: frozen blocks, whose first slip is named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

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
        entry, said = _wrong(error.errors())
        where = f"data_catalog.yaml, {name}.{entry}".rstrip(".")
        raise InputError(said, where=where, remedy=remedy) from None


def _wrong(found: Sequence[ErrorDetails]) -> tuple[str, str]:
    """Return the entry to name first and what is wrong with it, of a validation's errors.

    An unknown entry comes first: one that is misspelt is missing too, and not where it was put.
    """
    unknown = [error for error in found if error["type"] == "extra_forbidden"]
    first = (unknown or list(found))[0]
    said = first["msg"].removeprefix("Value error, ")
    if unknown:
        inside = first["loc"][:-1]
        missing = [str(e["loc"][-1]) for e in found if e["type"] == "missing"
                   and e["loc"][:-1] == inside]  # fmt: skip
        meant = get_close_matches(str(first["loc"][-1]), missing, n=1)
        said = "there is no such entry" + (f"; did you mean {meant[0]}" if meant else "")
    elif first["type"] == "missing":
        said = "it is missing"
    return ".".join(str(part) for part in first["loc"]), said
