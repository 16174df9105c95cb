"""Can the fit be believed? Convergence, predictive checks, residuals, leave-one-out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from smallarea.nsum.bayesian.convergence import ess, rhat

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
    trace : ArviZ InferenceData, or anything with its `posterior` and `sample_stats`.
    reported : (group, chain, draw) reported sizes.
    """
    skipped = ("log_degree", "factor", "share", "shape")  # respondents' own, and derived
    shared = trace.posterior[[v for v in trace.posterior.data_vars if v not in skipped]]
    shared = shared.assign(reported=reported)
    found = {str(name): _figures(values) for name, values in shared.data_vars.items()}
    worst_rhat = max(float(rhats.max()) for rhats, _ in found.values())
    worst_ess = min(float(sizes.min()) for _, sizes in found.values())
    by_group = dict(zip(("rhat", "ess"), found["reported"], strict=True))
    sizes = pd.DataFrame(by_group, index=pd.Index(reported["group"].to_numpy(), name="group"))
    sizes = sizes[["ess", "rhat"]]
    divergences = int(trace.sample_stats["diverging"].sum())
    has_energy = "energy" in trace.sample_stats  # Gibbs sampling has none
    ebfmi = _bfmi(trace.sample_stats["energy"].to_numpy()) if has_energy else np.nan
    chains, draws = reported.sizes["chain"], reported.sizes["draw"]
    failed = {
        f"R-hat {worst_rhat:.3f} is above {MAX_RHAT}": not worst_rhat <= MAX_RHAT,
        f"{worst_ess:.0f} effective draws, {MIN_ESS_PER_CHAIN * chains} needed": (
            not worst_ess >= MIN_ESS_PER_CHAIN * chains
        ),
        f"{divergences} divergent draws of {chains * draws}": (
            divergences > MAX_DIVERGENT_SHARE * chains * draws
        ),
        f"E-BFMI {ebfmi:.2f} is below {MIN_EBFMI}": has_energy and not ebfmi >= MIN_EBFMI,
    }
    reasons = tuple(reason for reason, bad in failed.items() if bad)
    return Diagnostics(sizes, worst_rhat, worst_ess, divergences, ebfmi, reasons)


def _figures(values: xr.DataArray) -> tuple[np.ndarray, np.ndarray]:
    """R-hat and effective sample size of every component of a parameter."""
    chains, draws = values.sizes["chain"], values.sizes["draw"]
    flat = values.transpose(..., "chain", "draw").to_numpy().reshape(-1, chains, draws)
    return np.array([rhat(one) for one in flat]), np.array([ess(one) for one in flat])


def _bfmi(energy: np.ndarray) -> float:
    """Return the worst chain's energy change per step, over the variance of its energy."""
    return float((np.square(np.diff(energy, axis=1)).mean(axis=1) / energy.var(axis=1)).min())
