"""Groups, thin cells, and where models may be believed without telling who was surveyed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from smallarea.errors import InputError
from smallarea.release.audit import check_units
from smallarea.release.groups import cells, groups_of, unseen


def frame() -> pd.DataFrame:
    """16 areas, two to a unit, four to a larger one, eight to the largest."""
    number = np.arange(16)
    levels = {"low": number // 2, "mid": number // 4, "top": number // 8}
    columns = {}
    for name, of in levels.items():
        columns |= {f"{name}_id": [f"{name[0]}{i}" for i in of], name: [f"{name} {i}" for i in of]}
    return pd.DataFrame(columns, index=pd.Index([f"a{i:02d}" for i in number], name="area_id"))


def units(areas: list[int]) -> pd.DataFrame:
    ids = [f"a{i:02d}" for i in areas]
    return pd.DataFrame({"area_id": ids, "exposure": 100.0, "x": 1})


def test_a_group_is_a_unit_of_the_second_level_or_a_larger_thin_one():
    table = frame()
    asked = units([0, 4, 8, 9, 10, 12, 13])
    found = cells(table, asked)
    group = groups_of(table, found)
    assert set(group[:8]) == {"top t0"}  # two sampling units in all
    assert set(group[8:12]) == {"mid m2"}
    assert set(group[12:]) == {"mid m3"}
    assert found.loc[("mid", "m3"), "thin"]
    assert not found.loc[("mid", "m2"), "thin"]
    assert found.loc[("low", "l4"), "units"] == 2
    assert check_units(table, found, group).holds
    assert not check_units(table, found, "mid " + table["mid_id"]).holds


def test_a_unit_with_most_of_the_people_known_makes_a_cell_thin():
    asked = units([0, 1, 2, 8, 9, 10]).assign(exposure=[900.0, 1, 1, 100, 100, 100])
    assert cells(frame(), asked).loc[("mid", "m0"), "thin"]


@pytest.mark.parametrize("areas", [[0, 5], [0, 1, 2, 3]])
def test_too_few_sampling_units_are_refused(areas):
    with pytest.raises(InputError, match="too few sampling units"):
        groups_of(frame(), cells(frame(), units(areas)))


def test_a_surveyed_area_can_lie_outside_what_others_show():
    table = frame()
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(16, 3)), table.index)
    X.iloc[0] = 30.0
    group = table["mid_id"]
    assert unseen(X, table.index[::2], group, components=2)["a00"]
