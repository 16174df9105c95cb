"""A hidden group nobody reports: bounded from above and flagged, never a crash or a zero."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from smallarea.nsum import killworth
from smallarea.nsum.national import _rate_of_silence
from smallarea.run.said import silence_warnings
from smallarea.survey import make_ard


def test_the_rate_of_a_silent_group_keeps_to_the_one_bound():
    survey = pd.DataFrame({"children_0_8": [10, 20], "children_9_17": [30, 40], "victims": [0, 0]})
    groups = pd.DataFrame(
        {
            "group": list(survey),
            "kind": ["known", "known", "hidden"],
            "size": [500.0, 500.0, np.nan],
            "population": 1000.0,
            "network": "child",
        }
    )
    result = killworth(make_ard(survey, groups))
    bound = (result.upper_bound() / result.scale)["victims"]
    assert bound == pytest.approx(-np.log(0.025) / 100)  # 100 people known
    rate = _rate_of_silence(bound, 20_000, np.random.default_rng(0))
    # Four standard errors of the share.
    assert (rate > bound).mean() == pytest.approx(0.025, abs=4 * (0.025 / 20_000) ** 0.5)
    assert (rate > 0).all()
    assert (rate <= 1).all()


def test_silence_is_said(tmp_path):
    for silent, said in (("", 0), ("victims_live, victims_nonlive", 2)):
        draws = xr.DataArray(np.ones(2), dims="draw", name="reported", attrs={"silent": silent})
        draws.to_netcdf(tmp_path / "national.nc", engine="h5netcdf")
        assert len(silence_warnings(tmp_path)) == said
