"""Can the fit be believed? Convergence, predictive checks, residuals, leave-one-out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

MAX_RHAT = 1.01
MIN_ESS_PER_CHAIN = 100
MAX_DIVERGENT_SHARE = 0.001
MIN_EBFMI = 0.3


@dataclass(frozen=True)
class Diagnostics:
    """Convergence of a sampler run; `reasons` is empty when it passed.

    sizes : index hidden group; ess (the smaller of bulk and tail) and rhat.
    rhat, ess : the worst over all parameters but the respondents' own, `ebfmi` over chains.
    """

    sizes: pd.DataFrame
    rhat: float
    ess: float
    divergences: int
    ebfmi: float
    reasons: tuple[str, ...]


def diagnose(trace: Any, reported: xr.DataArray) -> Diagnostics:
    """Judge a run by R-hat, effective sample size, divergences and E-BFMI.

    Thresholds follow Vehtari et al. 2021 (R-hat 1.01, 100 effective draws per chain) and
    Betancourt 2016 (E-BFMI 0.3); one divergent draw in a thousand is tolerated.

    Parameters
    ----------
    trace : ArviZ InferenceData. reported : (group, chain, draw) reported sizes.
    """
    import arviz as az

    skipped = ("log_degree", "factor", "share", "shape")  # respondents' own, and derived
    shared = trace.posterior[[v for v in trace.posterior.data_vars if v not in skipped]]
    shared = shared.assign(reported=reported)
    rhat, bulk, tail = az.rhat(shared), az.ess(shared), az.ess(shared, method="tail")
    ess = xr.where(bulk < tail, bulk, tail)
    sizes = pd.DataFrame(
        {"ess": ess["reported"].to_numpy(), "rhat": rhat["reported"].to_numpy()},
        index=pd.Index(reported["group"].to_numpy(), name="group"),
    )
    worst_rhat = max(float(v.max()) for v in rhat.data_vars.values())
    worst_ess = min(float(v.min()) for v in ess.data_vars.values())
    divergences = int(trace.sample_stats["diverging"].sum())
    ebfmi = float(np.min(az.bfmi(trace)))
    chains, draws = reported.sizes["chain"], reported.sizes["draw"]
    failed = {
        f"R-hat {worst_rhat:.3f} is above {MAX_RHAT}": not worst_rhat <= MAX_RHAT,
        f"{worst_ess:.0f} effective draws, {MIN_ESS_PER_CHAIN * chains} needed": (
            not worst_ess >= MIN_ESS_PER_CHAIN * chains
        ),
        f"{divergences} divergent draws of {chains * draws}": (
            divergences > MAX_DIVERGENT_SHARE * chains * draws
        ),
        f"E-BFMI {ebfmi:.2f} is below {MIN_EBFMI}": not ebfmi >= MIN_EBFMI,
    }
    reasons = tuple(reason for reason, bad in failed.items() if bad)
    return Diagnostics(sizes, worst_rhat, worst_ess, divergences, ebfmi, reasons)
