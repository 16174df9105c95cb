"""Network scale-up: from reports about others to the size of a hidden group."""

from smallarea.nsum.bayesian.fit import fit_nsum
from smallarea.nsum.bayesian.posterior import NsumFit
from smallarea.nsum.bayesian.pymc_models import Priors
from smallarea.nsum.classical.generalized import (
    Adjustment,
    adjusted,
    generalized,
    modified_basic,
    visibility,
)
from smallarea.nsum.classical.known_groups import (
    back_estimates,
    leave_one_out,
    overlap,
    recall,
    side_by_side,
    trim,
)
from smallarea.nsum.classical.power import power_posterior
from smallarea.nsum.classical.scale_up import ScaleUp, degrees, killworth, killworth_table
from smallarea.nsum.direct.estimates import Direct, direct_estimates, load_direct, save_direct
from smallarea.nsum.measures import killworth_indicators
from smallarea.nsum.national import national_draws
from smallarea.nsum.reporting.tau import TauPrior, tau_draws, totals_given_tau

__all__ = [
    "Adjustment",
    "Direct",
    "NsumFit",
    "Priors",
    "ScaleUp",
    "TauPrior",
    "adjusted",
    "back_estimates",
    "degrees",
    "direct_estimates",
    "fit_nsum",
    "generalized",
    "killworth",
    "killworth_indicators",
    "killworth_table",
    "leave_one_out",
    "load_direct",
    "modified_basic",
    "national_draws",
    "overlap",
    "power_posterior",
    "recall",
    "save_direct",
    "side_by_side",
    "tau_draws",
    "totals_given_tau",
    "trim",
    "visibility",
]
