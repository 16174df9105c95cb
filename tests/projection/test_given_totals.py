"""Totals of units as people write them: found by code or name, or refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from totals_world import INDICATORS, world

from smallarea.areas import Frame
from smallarea.errors import InputError
from smallarea.projection.given_checks import check_given
from smallarea.projection.given_totals import draw_given, read_given

MADE = world(1, uncovered=0)
TRUE = {level: MADE.true_of(level) for level in ("land", "county")}
HEAD = "level,unit,component,total,se,low,high\n"


def read(folder: Path, *rows: str, table: pd.DataFrame = MADE.table) -> pd.DataFrame:
    path = folder / "totals.csv"
    nothing: list = [None, None, pd.DataFrame(), pd.DataFrame()]
    path.write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")
    return read_given(path, Frame(table, *nothing), INDICATORS)


def checked(folder: Path, *rows: str) -> None:
    given = read(folder, *rows)
    drawn = draw_given(given, MADE.totals.sizes["draw"], 1)
    check_given(given, drawn, MADE.totals, MADE.table, INDICATORS, "totals.csv")


def test_codes_names_and_both_pairs_are_read_highest_level_first(tmp_path):
    rows = (
        "county,k03,live,300,30,,",
        'land,Land 2,all,,,"1,000","4,000"',
        "land,l0,live,900,90,,",
    )
    given = read(tmp_path, *rows)
    assert given[["level", "unit_id", "unit", "component"]].to_dict("split")["data"] == [
        ["land", "l2", "Land 2", "all"],
        ["land", "l0", "Land 0", "live"],
        ["county", "k03", "County 3", "live"],
    ]
    assert list(given.index) == [3, 4, 2]
    drawn = draw_given(given, 100_000, 1)
    low, high = np.quantile(drawn[0], [0.025, 0.975])
    assert (low, high) == (pytest.approx(1000, rel=0.02), pytest.approx(4000, rel=0.02))
    assert drawn[1].mean() == pytest.approx(900, rel=0.01)
    assert drawn[1].std() == pytest.approx(90, rel=0.02)
    again = draw_given(read(tmp_path, *rows[::-1]), 100_000, 1)
    assert again[[1, 0, 2]].tobytes() == drawn.tobytes()  # where a row stands does not matter


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["shire,l0,live,9,1,,"], "column 'level', row 2: no such level; there are county, land"),
        (["land,l0,dead,9,1,,"], "'component', row 2: no such component; there are all, live, oth"),
        (["land,l0,live,9,1,,", "land,Lend 3,live,9,1,,"],
         "'unit', row 3: 'Lend 3' is no code or name .* level land; did you mean Land 3?"),
        (["land,l0,live,9,1,,", "land,Land 0,live,8,1,,"], "'unit', row 3: the unit has another"),
        (["land,l0,live,9,,,"], "row 2: a row holds total and se or low and high, one pair"),
        (["land,l0,live,9,1,3,"], "row 2: a row holds total and se or low and high, one pair"),
        (["land,l0,live,0,1,,"], "column 'total', row 2: it is 0"),
        (["land,l0,live,-4,1,,"], "column 'total', row 2: '-4' is negative"),
        (["land,l0,live,,,5,5"], "column 'low', row 2: low is not below high"),
        (["land,l0,live,9,1,,", "land,l1,live,99999999,1,,"],
         "'total', row 3: it is not below the .* people of the unit's reference population"),
        (["land,l0,live,,,5,99999999"], "'high', row 2: it is not below the"),
        (["land,,live,9,1,,"], "column 'unit', row 2"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_is_named(tmp_path, rows, message):
    with pytest.raises(InputError, match=f"totals.csv.*{message}") as error:
        read(tmp_path, *rows)
    assert error.value.remedy


def test_a_name_of_two_units_asks_for_the_code(tmp_path):
    table = MADE.table.assign(county=MADE.table["county"].replace("County 4", "County 3"))
    with pytest.raises(InputError, match="'County 3' is the name of several units") as error:
        read(tmp_path, "county,County 3,live,9,1,,", table=table)
    assert "code" in error.value.remedy


def test_levels_that_cross_are_refused(tmp_path):
    table = MADE.table.copy()
    table.loc[table.index[table["county_id"] == "k00"][0], ["land_id", "land"]] = ["l3", "Land 3"]
    rows = ("land,l0,live,9,1,,", "county,k05,live,9,1,,")
    with pytest.raises(InputError, match="units of level county lie across those of level land"):
        read(tmp_path, *rows, table=table)
    assert len(read(tmp_path, rows[1], table=table)) == 1


def test_parts_that_exceed_their_whole_are_refused(tmp_path):
    nation = float(MADE.totals[0].mean())
    rows = [f"land,l{i},live,{nation / 2:.0f},{nation / 50:.0f},," for i in range(3)]
    with pytest.raises(InputError, match=r"are more than the nation's live, .* beyond") as error:
        checked(tmp_path, *rows)
    assert error.value.where.startswith("totals.csv, row ")
    checked(tmp_path, *rows[:1])
    wide = [row.replace(f",{nation / 50:.0f},", f",{nation:.0f},") for row in rows]
    checked(tmp_path, *wide)  # with such errors it can be
    own = TRUE["land"].loc["l1", "live"]
    both = [f"county,k{i:02d},live,{own:.0f},{own / 20:.0f},," for i in (3, 4)]
    with pytest.raises(
        InputError, match=r"2 units, most in County [34], are more than that of Lan"
    ):
        checked(tmp_path, f"land,l1,live,{own:.0f},{own / 20:.0f},,", *both)
    with pytest.raises(InputError, match="Land 1 are more than the unit's all"):
        checked(tmp_path, f"land,l1,live,{own:.0f},9,,", f"land,l1,all,{own / 2:.0f},9,,")


def test_levels_of_as_many_units_are_held_against_each_other(tmp_path):
    table = MADE.table.assign(land_id="l" + MADE.table["county_id"], land=MADE.table["county"])
    given = read(tmp_path, "land,lk03,live,200,2,,", "county,k03,live,300,3,,", table=table)
    drawn = draw_given(given, MADE.totals.sizes["draw"], 1)
    with pytest.raises(InputError, match="County 3 are more than that of County 3"):
        check_given(given, drawn, MADE.totals, table, INDICATORS, "totals.csv")


def test_true_totals_of_both_levels_pass(tmp_path):
    rows = [
        f"{level},{unit},{name},{true:.1f},{true / 20:.1f},,"
        for level, table in TRUE.items()
        for unit, row in table.iterrows()
        for name, true in row.items()
    ]
    checked(tmp_path, *rows)
