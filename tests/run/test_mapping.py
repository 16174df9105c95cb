"""A map of more areas than a page can hold shows the level above them; tables show all."""

from __future__ import annotations

import pandas as pd
from small import small_country

from smallarea.run import mapping


def test_the_map_of_very_many_areas_shows_the_level_above(finished, tmp_path, monkeypatch):
    monkeypatch.setattr(mapping, "MOST", 5)
    run = small_country(tmp_path / "many").run()
    page, before = ((r.folder / "map.html").read_text("utf-8") for r in (run, finished))
    assert "Town 7" in before
    assert "Town 7" not in page
    assert all(f"Shire {number}" in page for number in (0, 1, 2, 3))
    pd.testing.assert_frame_equal(run.table(), finished.table())
