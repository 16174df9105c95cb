"""Night-time lights: how the mean radiance changed over five years.

Trap: where lights are dim the change is mostly noise of the sensor; new lamps count as new people.
"""

import numpy as np

from smallarea.features import stream, tables, zonal

FLOOR = 0.1  # nW/cm2/sr, about the sensor's noise in a yearly mean


@stream(source=["viirs_annual", "viirs_before"], unit={"lights_trend": "share per year"})
def night_lights_trend(now, before, areas):
    new, old = (zonal(raster, areas, ["mean"])["mean"] for raster in (now, before))
    trend = tables.growth(np.maximum(new, FLOOR), np.maximum(old, FLOOR), years=2022 - 2017)
    return trend.to_frame("lights_trend")
