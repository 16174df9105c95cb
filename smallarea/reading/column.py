"""What a column of a file must hold."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema, field_validator, model_validator

from smallarea.declared import Declared


class Column(Declared):
    """What a column must hold. Its key in the catalog is the name that stream files use."""

    header: str | None = None
    """What heads the column in the file, without regard to case and punctuation; by default the
    column's name. `Active HH*` is a header that begins so, as where its end says a date."""
    type: Literal["integer", "number", "text"] = "number"
    """What its cells are."""
    min: float | None = None
    """The least a cell may be, as in the file."""
    max: float | None = None
    """The most a cell may be, as in the file."""
    values: Annotated[tuple[str, ...], WithJsonSchema({"type": "array"})] = ()
    """What a text column may say; by default anything."""
    total: bool | None = None
    """Whether it adds up over people (pesos, gigabytes); by default whole numbers without `max`."""
    withheld: int | None = None
    """The publisher withholds smaller counts, as "<5", with all that stands beside them."""
    unit: str = ""
    """What one of it is, once `times` is applied (PHP, kilometres)."""
    times: float = Field(default=1, gt=0)
    """How many of the unit a 1 in the file is: 1000000 where the file says millions. `min`, `max`
    and `withheld` are as in the file."""
    optional: bool = False
    """The file may lack the column; it is then all missing."""
    expected: Literal["+", "-"] | None = None
    """The sign that a relation with what is estimated is expected to have."""
    why: str = ""
    """Why that sign is expected, or none can be."""
    error: str | None = None
    """The column with this one's published standard error."""

    @field_validator("values", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        return tuple(map(str, value)) if isinstance(value, (list, tuple)) else value

    @model_validator(mode="after")
    def _consistent(self) -> Column:
        if self.values and self.type != "text":
            raise ValueError("only a text column lists its values; numbers have min and max")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}")
        if self.expected and not self.why.strip():
            raise ValueError(f"expected '{self.expected}' needs a reason: say in `why` what it is")
        return self

    def head(self, name: str) -> str:
        """Return what heads the column called `name` in the catalog, or how that begins."""
        return (self.header or name).rstrip("* ")

    @property
    def is_total(self) -> bool:
        """Whether the column adds up over people."""
        return self.type == "integer" and self.max is None if self.total is None else self.total
