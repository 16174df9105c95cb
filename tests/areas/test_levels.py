import pandas as pd

from smallarea.areas.levels import level_ids, levels_of

TABLE = pd.DataFrame(
    {"name": ["A", "B"], "district_id": ["1", "2"], "district": ["x", "y"], "state_id": ["s", "s"]},
    index=pd.Index(["a", "b"], name="area_id"),
)


def test_levels_are_named_by_the_project_lowest_first():
    assert levels_of(TABLE) == ["district", "state"]
    assert levels_of(TABLE.reset_index()) == ["district", "state"]


def test_beyond_the_top_all_areas_are_one():
    assert list(level_ids(TABLE)) == ["1", "2"]
    assert list(level_ids(TABLE, 1)) == ["s", "s"]
    assert list(level_ids(TABLE, 2)) == ["all", "all"]
