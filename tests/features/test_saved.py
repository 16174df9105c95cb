"""Features that were saved are the features that were made."""

from __future__ import annotations

import pandas as pd
import pytest

from smallarea.catalog import ReadReport
from smallarea.features import Features, load_features, save_features

KEYS = ["0077", "NA", "a;b", "two\nlines", '=say("x")']


@pytest.mark.parametrize("keys", [None, [], KEYS])
def test_reports_survive_saving(tmp_path, keys):
    index = pd.Index(["0100101000"], name="area_id")
    info = pd.DataFrame({"vintage": ["2020"], "stream": "s"}, index=pd.Index(["x"], name="feature"))
    reports = []
    if keys is not None:
        lost = pd.DataFrame({"row": range(2, 2 + len(keys)), "key": keys, "reason": "unknown"})
        reports = [ReadReport("s", "t.csv", 9, 4, lost, {"n": 1}, ("a note",))]
    save_features(Features(pd.DataFrame({"x": [1.0]}, index=index), info, reports), tmp_path)
    loaded = load_features(tmp_path).reports
    assert [str(report) for report in loaded] == [str(report) for report in reports]
    for mine in loaded:
        assert mine.unmatched["key"].tolist() == keys
        assert mine.unmatched["row"].tolist() == list(range(2, 2 + len(keys)))
