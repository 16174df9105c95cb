"""The twin's Excel streams, with the title rows, sub-totals and names that people put there."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from smallarea.simulate.settings import LABEL
from smallarea.simulate.world import World, expand

LEVELS = ("Kindergarten", "Elementary", "Junior High", "Senior High")


def pantawid(world: World, path: Path) -> None:
    """Beneficiary households: sub-totals per province, codes with and without leading zero."""
    table = world.frame.table
    rate = expit(-1.4 + 0.8 * world.measure(deprivation=1.0, remoteness=0.2))
    households = pd.Series(world.rng.poisson(world.people / 4.4 * rate), table.index)
    codes = world.codes("9-digit")
    cut = world.rng.random(len(codes)) < 0.5
    codes = codes.mask(cut, codes.str.lstrip("0"))
    rows: list[tuple] = [
        (f"PANTAWID PAMILYANG PILIPINO PROGRAM ({LABEL})",),
        ("Active household beneficiaries by city/municipality",),
        ("As of 31 December 2022",),
        ("Region", "Province", "City/Municipality", "PSGC", "Active HH (as of Dec 2022)"),
    ]
    listed = table.loc[codes.index]
    for (region, province), areas in listed.groupby(["region", "province"], sort=True):
        served = households[areas.index]
        for row in zip(areas["name"], codes[areas.index], served.tolist(), strict=True):
            rows.append((region, province, *row))
        total = int(served.sum())
        rows.append((region, f"{province} Sub-total", None, None, total))
    rows.append(("Note: households with at least one monitored child; excludes pending updates.",))
    _write(path, "Sheet1", rows)


def municipal_finance(world: World, path: Path) -> None:
    """Receipts and expenditures in million pesos as text, without codes, some not submitted."""
    table = world.frame.table
    income = 900 * (world.people / 1e5) ** 0.75 * np.exp(0.25 * world.measure(urbanicity=1.0))
    local = income * expit(-1.6 + 0.9 * world.measure(urbanicity=0.8, deprivation=-0.4))
    tax = local * world.rng.beta(12, 6, len(local))
    spent = income * world.rng.beta(18, 3, len(local))
    capital = set(table.groupby("province_id")["population"].idxmax())
    submitted = world.rng.random(len(table)) > 0.03
    headers = "LGU Name", "Province", "Local Sources", "Tax Revenue", "Total Income"
    rows: list[tuple] = [(*headers, "Total Expenditure")]
    amounts = np.column_stack([local, tax, income, spent])
    for (area_id, area), amount in zip(
        table[submitted].iterrows(), amounts[submitted], strict=True
    ):
        name = messy_name(area["name"], world.rng)
        name += " (Capital)" if area_id in capital else ""
        rows.append((name, area["province"], *(f"{million:,.2f}" for million in amount)))
    _write(path, "Sheet1", rows)


def messy_name(name: str, rng: np.random.Generator) -> str:
    """Return a name the way some office might have typed it."""
    bare = re.sub(r"^City of | City$", "", name)
    if bare != name:
        return f"CITY OF {bare.upper()}" if rng.random() < 0.5 else f"{bare.upper()} CITY"
    for word, short in (("Santa", "Sta."), ("Santo", "Sto."), ("General", "Gen.")):
        name = re.sub(rf"\b{word}\b", short, name) if rng.random() < 0.7 else name
    return name.upper() if rng.random() < 0.3 else name


def schools(world: World, path: Path) -> None:
    """Enrolment per school and level; pupils are counted where the school is."""
    table, rng = world.frame.table, world.rng
    children = table["children"].to_numpy(float)
    number = 1 + rng.poisson(expand(children, 1 / 3_000, 0.2 * world.measure(remoteness=1.0)))
    enrolled = 0.7 * children * expit(2.4 - 0.5 * world.measure(deprivation=0.8, conflict=0.4))
    school = np.repeat(np.arange(len(table)), number)
    size = rng.gamma(3, size=len(school))
    size *= (enrolled / np.bincount(school, size))[school]
    pupils = rng.poisson(size)
    girls = rng.binomial(pupils, expit(-0.05 + 0.05 * world.measure(deprivation=1.0)[school]))
    level = rng.choice(LEVELS, len(school), p=[0.08, 0.5, 0.27, 0.15])
    rows: list[tuple] = [("school_id", "psgc", "level", "enrolment_male", "enrolment_female")]
    codes = table.index.to_numpy()[school]
    ids = [f"{300_000 + i}" for i in range(len(school))]
    rows += zip(ids, codes, level.tolist(), (pupils - girls).tolist(), girls.tolist(), strict=True)
    _write(path, "enrolment", rows)


def _write(path: Path, sheet: str, rows: Iterable[Sequence[Any]]) -> None:
    """Write rows to a workbook whose bytes depend on its content only, not on the clock."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    book.properties.title = LABEL
    page = book.create_sheet(sheet)
    for row in rows:
        page.append(row)
    book.save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    clock = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
    parts["docProps/core.xml"] = clock.sub(b"2023-01-01T00:00:00Z", parts["docProps/core.xml"])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
