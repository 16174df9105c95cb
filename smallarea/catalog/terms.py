"""What a source's entry says of getting its file, and of what may be done with it."""

from __future__ import annotations

import re
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, field_validator, model_validator

from smallarea.declared import Declared, Said
from smallarea.errors import InputError

#: Names of fields of an address that carry a secret.
SECRET = re.compile(
    r"(?i)^(.*[-_])?(key|apikey|token|secret|password|passwd|pwd|sig|signature|auth)$"
)


class Terms(Declared):
    """Where a source's file is fetched from, and the agreement under which it is used."""

    url: str | None = None
    """Where its file is: https, http, file, or storage such as s3 (extra `remote`). Never with a
    password or a key: those come from the environment, see `smallarea.fetching.web`."""
    query: tuple[dict[str, Any], ...] = ()
    """Of a PXWeb table: what is asked of it; the answer is kept as CSV."""
    sha256: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")
    """The hash that the publisher states of the file; any other file is refused."""
    max_bytes: int | None = Field(default=None, gt=0)
    """The most bytes the file may have; by default the limit `download` of this machine."""
    purposes: tuple[Said, ...] = ()
    """What it may be used for; the project's `settings.purpose` must be among them."""
    agreement_ends: date | None = None
    """The last day on which it may be used."""
    retention_until: date | None = None
    """The last day on which it may be kept; afterwards `smallarea purge` is due."""

    @field_validator("url")
    @classmethod
    def _no_secret(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if not parts.scheme or not (parts.netloc or parts.scheme == "file"):
            raise ValueError("it is no address: write https://... or file:///...")
        if "@" in parts.netloc:
            raise ValueError("an address must not hold a user or password: use the environment")
        named = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
        if secret := [name for name in named if SECRET.match(name)]:
            raise ValueError(f"'{secret[0]}' in an address is a secret: use the environment")
        return url

    @model_validator(mode="after")
    def _one_file(self) -> Terms:
        named = str(getattr(self, "file", ""))
        if self.url and (set(named) & set("*?[") or named.lower().endswith(".shp")):
            raise ValueError(f"'{named}' is several files, and an address gives one")
        if self.query and not (self.url and named.lower().endswith(".csv")):
            raise ValueError("'query' is for a table with an address, whose file is a .csv")
        return self

    def forbidden(self, purpose: str | None, today: date) -> str | None:
        """Say why the source must not be used today, None if it may be."""
        if self.agreement_ends is not None and today > self.agreement_ends:
            return f"its agreement ended on {self.agreement_ends}"
        if self.retention_until is not None and today > self.retention_until:
            return f"it was to be kept until {self.retention_until} only"
        if self.purposes and purpose not in self.purposes:
            said = "no purpose is stated" if purpose is None else f"'{purpose}' is not allowed"
            return f"{said}; it may be used for {', '.join(self.purposes)}"
        return None


def require_allowed(name: str, terms: Terms, purpose: str | None, today: date) -> None:
    """Raise InputError if a source must not be used today for this purpose."""
    if said := terms.forbidden(purpose, today):
        raise InputError(
            said,
            where=f"source '{name}'",
            remedy="renew the agreement and its entry in the catalog, state `settings.purpose`, or "
            f"take the source out and run `smallarea purge {name}`",
        ).of_source(name)
