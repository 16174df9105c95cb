"""A corner of the real frame, for tests that need many worlds or no whole country."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from study import INDICATORS, twin_settings

from smallarea.areas import Frame
from smallarea.simulate import Survey, Truth, TwinSettings, grow_truth, simulate_survey


@pytest.fixture(scope="session")
def corner(frame: Frame) -> Frame:
    """Metro Manila and Region I: 142 areas."""
    chosen = frame.table["region_id"].isin(["0100000000", "1300000000"]).to_numpy()
    kept = np.flatnonzero(chosen)
    ids = frame.table.index[kept]
    return replace(
        frame,
        table=frame.table.loc[ids],
        geometry=frame.geometry.loc[ids],
        neighbours=frame.neighbours[kept][:, kept],
        codes=frame.codes[frame.codes["area_id"].isin(ids)],
        psus=frame.psus[frame.psus["area_id"].isin(ids)],
    )


@pytest.fixture(scope="session")
def corner_settings() -> TwinSettings:
    return twin_settings(seed=5, areas=30, totals={"victims": 60_000, "traffickers": 30_000})


@pytest.fixture(scope="session")
def truth(frame: Frame) -> Truth:
    """The whole country's truth under the default knobs."""
    return grow_truth(frame, INDICATORS, twin_settings(seed=7))


@pytest.fixture(scope="session")
def survey(frame: Frame, truth: Truth) -> Survey:
    """One survey of it."""
    return simulate_survey(frame, INDICATORS, truth, twin_settings(seed=7))
