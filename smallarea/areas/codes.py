"""Finding areas by code, whatever the vintage: a crosswalk lists every spelling there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from smallarea.errors import InputError

#: The vintage of codes that the catalog's aliases name.
ALIAS = "alias"
_NUMBER = r"^\d+\.0*$|^\d(?:\.\d+)?[eE]\+?\d+$"


class Crosswalk:
    """The crosswalk, indexed for matching.

    Parameters
    ----------
    codes : code, area_id, vintage. A code may mean different areas in different vintages.
    below : codes of units below the areas, to recognise the mistake of using them.
    """

    def __init__(self, codes: pd.DataFrame, below: pd.Index) -> None:
        self.below = below
        twice = codes["code"].duplicated(keep=False)
        clear = codes[~twice]
        code, area_id, vintage = (clear[c].tolist() for c in ("code", "area_id", "vintage"))
        self._area_of = dict(zip(code, area_id, strict=True))
        self._vintage_of = dict(zip(code, vintage, strict=True))
        self._unclear = codes[twice].pivot_table(
            index="code", columns="vintage", values="area_id", aggfunc="first"
        )

    def match(self, codes: pd.Series, where: str) -> pd.Series:
        """Return the area_id of each code, <NA> where missing or unknown; see `Frame.match`."""
        given = codes.dropna()
        if len(given) and not pd.api.types.is_string_dtype(given):
            raise InputError(
                "the codes were read as numbers, which drops leading zeros",
                where=where,
                remedy="read the column as text, e.g. pandas.read_csv(..., dtype={column: str})",
            )
        text = codes.astype("string").str.strip().str.upper()
        found = pd.Series([self._area_of.get(code) for code in text], codes.index, dtype="string")
        unclear = text.isin(self._unclear.index)
        if unclear.any():
            found[unclear] = self._by_vintage(text, unclear, where)
        unknown = text[found.isna()].dropna().drop_duplicates()
        if unknown.size:
            self._refuse(unknown, where)
        return found.rename("area_id")

    def _by_vintage(self, text: pd.Series, unclear: pd.Series, where: str) -> list[str | None]:
        """Read codes that changed hands in the vintage that more of the other codes belong to."""
        vintages = text[~unclear].map(lambda code: self._vintage_of.get(code), na_action="ignore")
        votes = vintages.value_counts().reindex(self._unclear.columns, fill_value=0)
        leaders = votes[votes == votes.max()].index
        if len(leaders) > 1:
            raise InputError(
                f"{_some(text[unclear].drop_duplicates())} changed hands between vintages, and "
                "nothing else in the column tells which vintage it is",
                where=where,
                remedy="use the codes of the statistics office, or match by name",
            )
        return self._unclear[leaders[0]].reindex(text[unclear]).tolist()

    def _refuse(self, unknown: pd.Series, where: str) -> None:
        """Raise if unknown codes are not just unknown but a mistake in the file."""
        if (numbers := unknown[unknown.str.fullmatch(_NUMBER)]).size:
            raise InputError(
                f"{_some(numbers)} went through a number format",
                where=where,
                remedy="export the codes as text from the original table",
            )
        if (below := unknown[unknown.isin(self.below)]).size:
            raise InputError(
                f"{_some(below)} of sampling units, which lie below the areas",
                where=where,
                remedy="aggregate to the frame's areas first",
            )


def with_aliases(codes: pd.DataFrame, aliases: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Return the crosswalk with what the catalog's aliases of areas say, codes and names alike.

    Raises
    ------
    InputError : an alias is another area's code.
    """
    area_of = dict(zip(codes["code"], codes["area_id"], strict=True))
    areas = set(codes["area_id"])
    pairs = [(alias.strip().upper(), a) for a in aliases if a in areas for alias in aliases[a]]
    for alias, area in pairs:
        if area_of.get(alias, area) != area:
            raise InputError(
                f"'{alias}' is a code of {area_of[alias]} already",
                where=f"data_catalog.yaml, frame.aliases.{area}",
                remedy="remove it, or enter it under that area",
            )
    new = dict(pair for pair in pairs if pair[0] not in area_of)
    if shared := sorted({a for a, area in pairs if new.get(a, area) != area}):
        new = {a: area for a, area in new.items() if a not in shared}  # a name of two areas
    more = pd.DataFrame({"code": new.keys(), "area_id": new.values(), "vintage": ALIAS})
    return pd.concat([codes, more], ignore_index=True) if new else codes


def _some(codes: pd.Series) -> str:
    few = ", ".join(codes.head(3)) + (", ..." if codes.size > 3 else "")
    return f"{codes.size} code{'' if codes.size == 1 else 's'} ({few})"
