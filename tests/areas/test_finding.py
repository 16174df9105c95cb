"""What a person types leads to one area, or to a choice; likeness alone never decides."""

from __future__ import annotations

import pandas as pd
import pytest

from smallarea.areas.finding import find_area, find_areas, nearest_areas
from smallarea.errors import InputError

SPELLING = {"city": "*", "of": "", "sta": "santa", "\ufffd": "n"}
TABLE = pd.DataFrame(
    [
        ("01", "City of Alba", "North", "Region One"),
        ("02", "City of Port", "North", "Region One"),
        ("03", "Port", "South", "Region Two"),
        ("04", "Santa Peña", "South", "Region Two"),
        ("05", "Albano", "South", "Region Two"),
        ("06", "San Jose", "North", "Region One"),
        ("07", "San Jose", "South", "Region Two"),
    ],
    columns=["area_id", "name", "province", "region"],
).set_index("area_id")
TABLE[["province_id", "region_id"]] = TABLE[["province", "region"]]
NAMES = pd.concat(
    [
        TABLE.reset_index()[["area_id", "province", "name"]]
        .set_axis(["area_id", "within", "name"], axis=1)
        .assign(former=False),
        pd.DataFrame(
            [("05", "South", "Old Town", True), ("05", "South", "Alba", True)],
            columns=["area_id", "within", "name", "former"],
        ),
    ],
    ignore_index=True,
)
CODES = pd.DataFrame({"code": ["X1", "X2", "X2"], "area_id": ["01", "02", "03"]})


@pytest.mark.parametrize(
    ("text", "area_id"),
    [
        ("City of Alba", "01"),
        ("Alba City", "01"),
        ("alba  city", "01"),
        ("ALBA", "01"),  # a present name, before the former name of Albano
        ("Port City", "02"),
        ("sta. pena", "04"),
        ("Old Town", "05"),
        ("San Jose, South", "07"),
        ("03", "03"),
        (" x1 ", "01"),
    ],
)
def test_known_spellings_and_codes_find_the_one_area(text: str, area_id: str) -> None:
    assert find_area(text, TABLE, SPELLING, names=NAMES, codes=CODES) == area_id


def test_without_the_names_of_the_frame_those_of_the_table_do() -> None:
    assert find_area("alba city", TABLE, SPELLING) == "01"
    assert find_areas("Old Town", TABLE, SPELLING) == []


@pytest.mark.parametrize(
    ("text", "areas"), [("Port", ["02", "03"]), ("san jose", ["06", "07"]), ("X2", ["02", "03"])]
)
def test_several_candidates_are_listed_and_none_is_chosen(text: str, areas: list[str]) -> None:
    assert find_areas(text, TABLE, SPELLING, names=NAMES, codes=CODES) == areas
    with pytest.raises(InputError) as raised:
        find_area(text, TABLE, SPELLING, names=NAMES, codes=CODES)
    for area in areas:
        name, province, region = TABLE.loc[area, ["name", "province", "region"]]
        assert f"{name}, {province}, {region} ({area})" in str(raised.value)


@pytest.mark.parametrize(("text", "near"), [("Alb", "01"), ("Albana", "05"), ("peña city", "04")])
def test_an_unknown_name_lists_the_nearest_and_chooses_none(text: str, near: str) -> None:
    with pytest.raises(InputError, match=f"names like it: .*{near}"):
        find_area(text, TABLE, SPELLING, names=NAMES)


@pytest.mark.parametrize("text", ["", " , ", "City", "Zzyzx"])
def test_nothing_alike_is_said_plainly(text: str) -> None:
    assert nearest_areas(text, TABLE, SPELLING) == []
    with pytest.raises(InputError, match="no area is called"):
        find_area(text, TABLE, SPELLING)
