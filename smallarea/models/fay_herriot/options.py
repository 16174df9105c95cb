"""Which options of the area-level estimator there are, and which go together."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np

from smallarea.models.fay_herriot.inputs import fail
from smallarea.models.fay_herriot.likelihood import Method
from smallarea.models.fay_herriot.scales import SCALES
from smallarea.models.fay_herriot.structures import Spatial


def check_options(model: Any, noisy: bool, spatial: bool) -> None:
    """Raise InputError unless the options of a `FayHerriot` are known and go together.

    `noisy`: covariates with error were given; `spatial`: neighbours were.
    """
    for name, allowed in (
        ("method", (*get_args(Method), "robust")),
        ("scale", tuple(SCALES)),
        ("mse", ("auto", "formula", "bootstrap")),
        ("spatial", get_args(Spatial)),
    ):
        if getattr(model, name) not in allowed:
            fail(f"unknown {name} {getattr(model, name)!r}", f"use one of {', '.join(allowed)}")
    if noisy and (spatial or model.method != "reml"):
        fail(
            "covariates with error are fitted by their own moment equations",
            "leave method at 'reml' and give no neighbours",
        )
    if spatial and model.method not in ("reml", "ml"):
        fail("a spatial fit is by 'reml' or 'ml'", "choose one of these")
    if model.mse == "formula" and (noisy or model.method == "robust"):
        fail("there is no formula for the errors of this fit", "use mse='bootstrap'")
    if not (isinstance(model.worlds, int | np.integer) and model.worlds > 0):
        fail(f"{model.worlds!r} bootstrap worlds", "use a positive whole number, such as 200")
