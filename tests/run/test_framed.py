"""What only the frame settles: which populations there are, how many areas are the top."""

from __future__ import annotations

import pytest
from small import CATALOG, small_country

from smallarea.errors import InputError
from smallarea.settings import read_settings


def changed(tmp_path, *edits: tuple[str, str]):
    project = small_country(tmp_path / "project")
    text = CATALOG
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    (project.root / "data_catalog.yaml").write_text(text)
    return project


@pytest.mark.parametrize("work", ["run", "simulate"])
def test_a_population_that_the_frame_lacks_is_named(tmp_path, work):
    project = changed(
        tmp_path,
        ("{population: {label: people}}", "{households: {label: households}}"),
        ("population: population", "population: households"),
    )
    wanted = (
        r"indicators\.populations\.households: population 'households' is no column of the "
        r"frame; there are population\. .*frame\.populations: \{households: COLUMN\}"
    )
    with pytest.raises(InputError, match=wanted):
        getattr(type(project)(project.root), work)()


@pytest.mark.parametrize(("areas", "k"), [(2, 1), (12, 1), (36, 4), (1642, 100), (90_000, 100)])
def test_without_a_word_the_top_is_a_tenth_and_never_above_a_hundred(areas, k):
    bare = {"seed": 1, "survey": "x", "draws": {"fast": 200}}
    assert read_settings(bare).top_of(areas) == k
    assert read_settings(bare | {"top_k": 1}).top_of(areas) == 1


def test_a_top_of_all_areas_is_refused(tmp_path):
    project = changed(tmp_path, ("top_k: 3", "top_k: 12"))
    with pytest.raises(InputError, match=r"settings\.top_k: the 12 highest of 12 areas"):
        type(project)(project.root).run()
