"""Direct estimates of the twin, for projects that have them in place of a scale-up survey."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from smallarea.indicators import Indicators
from smallarea.simulate.design import draw_areas
from smallarea.simulate.groups import Groups, loadings
from smallarea.simulate.settings import LABEL, TwinSettings, generator, wave_generator
from smallarea.simulate.truth import Truth

if TYPE_CHECKING:
    from smallarea.areas import Frame


def simulate_direct(
    frame: Frame, indicators: Indicators, truth: Truth, settings: TwinSettings, *, reported: bool
) -> pd.DataFrame:
    """Count what is found in sampled areas, as an analyst would be given it.

    reports ~ Poisson(exposure x rate): the exposure is the people known to an area's respondents,
    the rate its true one times the sampling unit's effect. With `reported` counts are of what is
    told, the reporting rate times as many; without, exposures are that much smaller instead.

    Returns
    -------
    One row per sampled area and component: `area`, `component`, `reports`, `exposure`, `notice`.

    Raises
    ------
    InputError : the design cannot be drawn on this frame.
    """
    groups = Groups.of(indicators, settings)
    rng = wave_generator(settings, "direct")
    places = generator(settings, "direct areas") if settings.revisit else rng
    areas = draw_areas(frame.table, groups.columns["adult"], settings, places).index.sort_values()
    mix = loadings(groups.correlation(settings), len(groups.components))
    effect = rng.normal(size=(len(areas), len(mix))) @ mix.T
    effect = np.exp(settings.unit_sd * effect - settings.unit_sd**2 / 2)
    degree = {"adult": settings.adult_degree, "child": settings.child_degree}
    rows = []
    for k, (component, network) in enumerate(groups.networks.items()):
        people = frame.table.loc[areas, groups.reference[component]].to_numpy(float)
        rate = truth.counts.loc[areas, component].to_numpy() / np.maximum(people, 1)
        known = settings.households * degree[network] * rng.gamma(25, 1 / 25, len(areas))
        tau = truth.tau_areas.loc[areas, component].to_numpy()
        expected = known * tau * np.minimum(rate * effect[:, k], 0.9)
        exposure = known if reported else known * tau
        rows.append(
            pd.DataFrame(
                {
                    "area": areas,
                    "component": component,
                    "reports": rng.poisson(expected),
                    "exposure": exposure.round(2),
                    "notice": LABEL,
                }
            )
        )
    return pd.concat(rows, ignore_index=True)
