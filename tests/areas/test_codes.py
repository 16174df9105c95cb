"""The crosswalk: every vintage of a code leads to its area, whatever the region says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallarea.areas import Frame
from smallarea.errors import InputError


def match(frame: Frame, *codes: object) -> list[object]:
    return frame.match(pd.Series(codes, dtype=object), where="file.csv, column 'psgc'").tolist()


def test_each_spelling_leads_to_one_area_but_for_renumbered_p_codes(frame: Frame) -> None:
    assert frame.codes["area_id"].isin(frame.table.index).all()
    assert match(frame, *frame.table.index) == frame.table.index.tolist()
    twice = frame.codes[frame.codes["code"].duplicated(keep=False)]
    assert set(twice["vintage"]) == {"P-code, present number", "P-code, former number"}
    # A province that was split in 2022 renumbered its municipalities; OCHA's P-codes did not.
    assert set(frame.table.loc[twice["area_id"], "province"]) == {
        "Maguindanao del Norte",
        "Maguindanao del Sur",
    }


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("1804502000", "10 digits of 2026"),
        ("0604502000", "10 digits of 2023: it was in Region VI"),
        ("604502000", "the same, leading zero lost in a spreadsheet"),
        ("064502000", "9 digits"),
        ("64502000", "the same, leading zero lost"),
        ("PH0604502", "P-code of 2023"),
        ("PH064502000", "P-code before"),
        (" ph1804502 ", "stray spaces and case"),
    ],
)
def test_every_vintage_of_a_code_is_understood(frame: Frame, code: str, why: str) -> None:
    assert match(frame, code) == ["1804502000"], why


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_region_never_matters(frame: Frame, data: st.DataObject) -> None:
    area_id = data.draw(st.sampled_from(frame.table.index.tolist()))
    regions = sorted(frame.table.index.str[:2].unique())
    region = data.draw(st.sampled_from(regions))
    assert match(frame, region + area_id[2:]) == [area_id]


def test_nine_digits_are_read_in_one_way_only(frame: Frame) -> None:
    # Nine digits are an old code, or a ten-digit code without its zero: never two areas at once.
    nine = frame.codes[frame.codes["code"].str.fullmatch(r"\d{9}")]
    assert nine.groupby("code")["area_id"].nunique().max() == 1
    own = frame.table.index[frame.table.index.str.startswith("0")]
    assert match(frame, *own.str[1:]) == own.tolist()


def test_unknown_and_missing_codes_are_missing_not_errors(frame: Frame) -> None:
    found = match(frame, "0102801000", "9999999000", "", None, np.nan)
    assert found[0] == "0102801000"
    assert all(value is pd.NA for value in found[1:])
    assert frame.match(pd.Series([np.nan, np.nan]), where="x").isna().all()


def test_match_keeps_the_index(frame: Frame) -> None:
    codes = pd.Series(["1804502000", "?"], index=["b", "a"])
    assert frame.match(codes, where="x").index.tolist() == ["b", "a"]


@pytest.mark.parametrize(
    "codes",
    [
        pd.Series([102801000, 1804502000]),
        pd.Series([102801000.0, np.nan]),
        pd.Series(["1804502000", 102801000], dtype=object),
    ],
)
def test_numbers_for_codes_are_refused(frame: Frame, codes: pd.Series) -> None:
    with pytest.raises(InputError, match=r"file.csv.*read as numbers.*as text"):
        frame.match(codes, where="file.csv")


@pytest.mark.parametrize("code", ["102801000.0", "1.02801E+08"])
def test_codes_that_went_through_a_number_format_are_refused(frame: Frame, code: str) -> None:
    with pytest.raises(InputError, match=r"1 code .* went through a number format"):
        match(frame, "1804502000", code)


def test_barangay_code_is_a_mistake_to_say_so(frame: Frame) -> None:
    with pytest.raises(
        InputError, match=r"2 codes \(0102801001, 0102802001\) of .*below the areas"
    ):
        match(frame, "0102801001", "0102802001", "1804502000")


def test_code_that_changed_hands_is_read_in_the_vintage_of_its_column(frame: Frame) -> None:
    parang, matanog = "1908709000", "1908707000"
    # Manila and Datu Odin Sinsuat have other P-codes with OCHA than by the register's numbers.
    assert match(frame, "PH1908709", "PH1380600", "PH1908705")[0] == parang
    assert match(frame, "PH1908709", "PH1303901", "PH1908828")[0] == matanog
    assert match(frame, "1908709000", "PH1303901")[0] == parang


@pytest.mark.parametrize("others", [[], ["PH0102801"], ["PH1303901", "PH1380100"]])
def test_code_that_changed_hands_is_never_guessed(frame: Frame, others: list[str]) -> None:
    with pytest.raises(InputError, match=r"1 code \(PH1908709\) changed hands"):
        match(frame, "PH1908709", *others)


def test_former_p_codes_are_understood(frame: Frame) -> None:
    codes = ["PH1307501", "PH0305401", "PH0909701", "PH1908828", "PH1303914"]
    names = frame.table.loc[match(frame, *codes), "name"].tolist()
    assert names == [
        "City of Caloocan",
        "City of Angeles",
        "City of Isabela",
        "Datu Abdullah Sangki",
        "City of Manila",
    ]
