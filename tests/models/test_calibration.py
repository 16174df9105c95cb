"""Intervals of predictions that are right hold what they promise; narrower ones do not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from smallarea.models.calibration import calibration
from smallarea.models.scores import pit_bounds
from smallarea.nsum.direct.estimates import Direct

SIZE, COMPONENTS = 240, ["many", "few"]
IDS = pd.Index([f"a{i:03d}" for i in range(SIZE)], name="area_id")
GROUP = pd.Series([f"g{i // 4}" for i in range(SIZE)], index=IDS)
SHARES = (50, 80, 95)


@pytest.fixture(scope="module")
def survey() -> tuple[Direct, np.ndarray]:
    """Reports of two components, and what a model knows: its log rates' means."""
    rng = np.random.default_rng(4)
    exposure = pd.DataFrame(3000.0, IDS, COMPONENTS)
    exposure.iloc[0] = 0.0
    known = rng.normal(0, 0.3, (2, SIZE)) + np.log([[5e-3], [2e-4]])
    mu = (np.exp(known + rng.normal(0, 0.5, known.shape)) * 3000).T
    reports = pd.DataFrame(rng.poisson(mu).astype(float), IDS, COMPONENTS).where(exposure > 0, 0.0)
    return Direct(reports, exposure, exposure, pd.Series(1.0, index=COMPONENTS)), known


def predicted(known: np.ndarray, sd: float) -> xr.DataArray:
    noise = np.random.default_rng(5).normal(0, sd, (*known.shape, 400))
    coords = {"component": COMPONENTS, "area_id": IDS.to_numpy(object)}
    return xr.DataArray(np.exp(known[..., None] + noise), coords, ("component", "area_id", "draw"))


def test_right_predictions_hold_what_they_promise(survey):
    direct, known = survey
    found = calibration(predicted(known, 0.5), direct, GROUP, 0)
    assert list(found.index) == [*COMPONENTS, "all"]
    for share in SHARES:
        row = found[[f"cover_{share}_low", f"cover_{share}", f"cover_{share}_high"]]
        assert (row.diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)
        # 239 counts: an error of at most 3.2 points, and of nearly surely none beyond three of it.
        np.testing.assert_allclose(found[f"cover_{share}"], share / 100, atol=0.1)
        assert row.iloc[2, 0] <= share / 100 <= row.iloc[2, 2]
    bins = found.filter(regex=r"^bin_\d$")
    np.testing.assert_allclose(bins.sum(axis=1), 1)
    assert bins.shape[1] == 10
    assert bins.to_numpy().max() < 0.2


def test_predictions_too_sure_hold_less_and_leave_reports_at_both_ends(survey):
    direct, known = survey
    found = calibration(predicted(known, 0.05), direct, GROUP, 0).loc["many"]
    for share in SHARES:
        assert found[f"cover_{share}_high"] < share / 100
    assert min(found["bin_0_low"], found["bin_9_low"]) > 0.1


def test_the_share_held_is_the_mean_over_transforms(survey):
    """Against transforms drawn at random between their bounds."""
    direct, known = survey
    draws = predicted(known, 0.3)
    below, at = pit_bounds(draws, direct)
    u = np.random.default_rng(0).uniform(size=(400, *below.shape))
    transforms = below.to_numpy() + u * (at - below).to_numpy()
    held = np.nanmean((np.abs(transforms - 0.5) <= 0.4)[:, 1:], axis=(0, 1))
    found = calibration(draws, direct, GROUP, 0)
    np.testing.assert_allclose(found["cover_80"].iloc[:2], held, atol=0.005)
    assert found.loc["all", "cover_80"] == pytest.approx(found["cover_80"].iloc[:2].mean())


def test_zeros_and_groups_are_counted_where_somebody_was_asked(survey):
    direct, known = survey
    found = calibration(predicted(known, 0.3), direct, GROUP, 0)
    zeros = (direct.reports.iloc[1:] == 0).mean()
    np.testing.assert_allclose(found["zeros"].iloc[:2], zeros)
    assert found.loc["all", "zeros"] == pytest.approx(zeros.mean())
    assert (found["groups"] == 60).all()
