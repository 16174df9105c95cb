"""Children per area: the nearest row of the age table, and which one it was."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from smallarea.areas.registers.psgc_ages import children_share
from smallarea.areas.registers.psgc_spec import AgeFile, Ages
from smallarea.errors import InputError

AREAS = pd.DataFrame(
    {
        "province": ["Alpha", "Beta", "Alpha", "Nowhere", "Nowhere"],
        "region": ["Region I", "Region I", "Region I", "Region I", "Far Away"],
    },
    index=pd.Index(["1", "2", "3", "4", "5"], name="area_id"),
)
AGES = Ages(
    children=0.3,
    source="default",
    file=AgeFile(
        file="ages.csv",
        source="census",
        area="area",
        age="age",
        population="people",
        children={"0-14": 1, "15-19": 0.6},
        aliases={"Beta": "Betta", "3": "City of Alpha"},
    ),
)


def write(folder: Path, **rows: tuple[int, int, int]) -> None:
    groups = ("0-14", "15-19", "20+")
    table = pd.DataFrame(rows, index=pd.Index(groups, name="age")).rename(
        columns=lambda area: area.replace("_", " ")
    )
    long = table.melt(ignore_index=False, var_name="area", value_name="people")
    long.reset_index().to_csv(folder / "ages.csv", index=False)


def test_nearest_row_decides_and_is_named(tmp_path: Path) -> None:
    write(
        tmp_path,
        alpha=(30, 10, 60),
        Betta=(20, 10, 70),
        City_Of_Alpha=(10, 0, 90),
        Region_I=(40, 0, 60),
    )
    share, source = children_share(AREAS, AGES, [tmp_path])
    assert share.tolist() == pytest.approx([0.36, 0.26, 0.1, 0.4, 0.3])
    assert source.tolist() == [
        "province Alpha, census",
        "province Betta, census",
        "area City of Alpha, census",
        "region Region I, census",
        "nation, default",
    ]


def test_without_the_file_the_nation_counts(tmp_path: Path) -> None:
    share, source = children_share(AREAS, AGES, [tmp_path])
    assert share.eq(0.3).all()
    assert source.eq("nation, default").all()


def test_wrong_column_is_named(tmp_path: Path) -> None:
    pd.DataFrame({"area": [], "people": []}).to_csv(tmp_path / "ages.csv")
    with pytest.raises(InputError, match="no column 'age'"):
        children_share(AREAS, AGES, [tmp_path])


def test_age_group_the_file_does_not_have_is_named(tmp_path: Path) -> None:
    pd.DataFrame({"area": ["Alpha"], "age": ["0-14"], "people": [1]}).to_csv(tmp_path / "ages.csv")
    with pytest.raises(InputError, match="column 'age' never says '15-19'"):
        children_share(AREAS, AGES, [tmp_path])


@pytest.mark.parametrize(
    ("count", "said"), [(-1, "negative"), (None, "lacks"), ("many", "'many' is not a number")]
)
def test_count_that_is_none_is_named(tmp_path: Path, count: object, said: str) -> None:
    rows = {"area": "Alpha", "age": ["0-14", "15-19"], "people": [5, count]}
    pd.DataFrame(rows).to_csv(tmp_path / "ages.csv", index=False)
    with pytest.raises(InputError, match=rf"column 'people', row 3.*{said}"):
        children_share(AREAS, AGES, [tmp_path])
