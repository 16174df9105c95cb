"""Are the Bayesian scale-up models right? Calibration, coverage, bias when the model is wrong.

    python benchmarks/studies/nsum_models.py [calibration coverage misspecification] [--only NAME]

runs the studies named (all) and merges them into benchmarks/results/nsum_models.json. Small surveys
(150 respondents, 8 known groups) keep a fit below a second; one compilation per model serves
all its surveys. tests/nsum/bayesian/test_bayes_studies.py reruns a part of each.

calibration (simulation-based, Talts et al. 2018): parameters from the prior, answers from the
model, rank of each parameter among 99 posterior draws. Ranks are uniform if model, sampler and
everything drawn outside the sampler agree. Test: chi-squared on 10 bins per parameter.

coverage: one fixed truth, answers from the *original* mechanisms (binomial degree, beta barrier),
the study's default priors; how often 80 % and 95 % intervals hold the hidden size.

misspecification: the same, with answers from a mechanism that the fitted model does not know.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from calibration import rank, uniformity

from smallarea import __version__
from smallarea.files import write_json
from smallarea.nsum.bayesian.posterior import hidden_rates
from smallarea.nsum.bayesian.pymc_models import MODELS, Answers, Priors
from smallarea.nsum.reporting.tau import TauPrior, divide_by_tau
from smallarea.run.stages import code_hash

RESULTS = Path(__file__).parents[1] / "results" / "nsum_models.json"
POPULATION, RESPONDENTS = 1_000_000.0, 150
KNOWN = np.array([1_500, 3_000, 5_000, 8_000, 12_000, 18_000, 25_000, 40_000.0])
TAU = TauPrior(20, 60, "simulation")
CHAINS, TUNE, DRAWS = 2, 400, 400

#: model of the package, recall, observed degrees, does tau divide the sizes
VARIANTS: dict[str, tuple[str, bool, bool, bool]] = {
    "degree": ("degree", False, False, False),
    "barrier": ("barrier", False, False, False),
    "transmission": ("transmission", False, False, True),
    "full": ("full", False, False, True),
    "full with recall": ("full", True, False, True),
    "full, summed degrees": ("full", False, True, True),
    "overdispersed": ("overdispersed", False, False, False),
    "correlated": ("correlated", False, False, False),
}
NARROW = Priors(mu=(4, 6), sigma=(0.4, 1.0), rho=(0.0, 0.2), size=(2_000, 50_000))


@dataclass(frozen=True)
class World:
    """Parameters of one survey; `reported` is tau times the hidden size."""

    mu: float = 5.0
    sigma: float = 0.6
    reported: float = 10_000.0
    tau: float = 1.0
    rho: float | np.ndarray = 0.02  # 0: no barrier
    exponent: float = 1.0
    recall_first: bool = False  # answers bend the group's size instead of what is known of it
    error: np.ndarray | float = 0.0  # of log answers, known groups then hidden
    inverse_omega: float | np.ndarray | None = None
    loading: np.ndarray | float = 0.0
    exact: bool = True  # binomial and beta instead of Poisson and gamma

    @property
    def size(self) -> float:
        return self.reported / self.tau


def simulate(world: World, summed: bool, rng: np.random.Generator) -> Answers:
    """Draw a survey: answers to the known groups and one hidden group."""
    log_known = np.log(KNOWN / POPULATION)
    degree = np.exp(rng.normal(world.mu, world.sigma, RESPONDENTS))
    degree = np.maximum(np.round(degree), 1) if world.exact or summed else degree
    hidden = world.size if world.recall_first else world.reported
    log_share = np.append(log_known, np.log(hidden / POPULATION))
    centre = log_known.mean()
    log_share = centre + world.exponent * (log_share - centre) + world.error
    if world.recall_first:
        log_share[-1] += np.log(world.tau)
    factor = rng.normal(size=(RESPONDENTS, 1)) * world.loading - np.square(world.loading) / 2
    share = np.exp(log_share + factor)
    y = _answers(world, degree[:, None], share, log_known, rng).astype(float)
    chosen = slice(-1, None) if summed else slice(None)
    return Answers(
        counts=y[:, chosen],
        weights=np.ones_like(y[:, chosen]),
        log_known=log_known[:0] if summed else log_known,
        log_degree=np.log(degree) if summed else None,
        population=POPULATION,
    )


def _answers(
    world: World,
    degree: np.ndarray,
    share: np.ndarray,
    log_known: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    mean = degree * share
    if world.inverse_omega is not None:
        inverse = np.broadcast_to(world.inverse_omega, share.shape)
        shape = mean * inverse / (1 - inverse)
        return rng.poisson(rng.gamma(shape) * (1 - inverse) / inverse)
    rho = np.broadcast_to(world.rho, share.shape)
    if (rho == 0).all():
        return rng.binomial(degree.astype(int), share) if world.exact else rng.poisson(mean)
    if world.exact:  # rho describes who is known; then each is reported with probability tau
        true = share.copy()
        true[:, -1] /= world.tau
        chance = rng.beta(true * (1 / rho - 1), (1 - true) * (1 / rho - 1)) * share / true
        return rng.binomial(degree.astype(int), chance)
    anchor = np.append(np.exp(log_known), share[0, -1] if np.ndim(world.loading) == 0 else 0)
    if np.ndim(world.loading):
        anchor[-1] = world.reported / POPULATION
    shape = anchor * (1 / rho - 1)
    return rng.poisson(mean * rng.gamma(np.broadcast_to(shape, mean.shape)) / shape)


class Fitter:
    """One model, compiled once, fitted to many surveys of one shape."""

    def __init__(self, variant: str, priors: Priors) -> None:
        import nutpie

        self.model, self.recall, self.summed, self.divided = VARIANTS[variant]
        first = simulate(World(), self.summed, np.random.default_rng(0))
        built = MODELS[self.model](first, priors, self.recall)
        self.compiled = nutpie.compile_pymc_model(built, backend="numba", freeze_model=False)

    def __call__(self, answers: Answers, seed: int, tau: TauPrior = TAU) -> dict[str, np.ndarray]:
        """Posterior draws by parameter: mu, sigma, reported, size, ..."""
        import nutpie

        used = self.compiled.shared_data
        data = {name: value for name, value in answers.arrays().items() if name in used}
        posterior = nutpie.sample(
            self.compiled.with_data(**data),
            draws=DRAWS,
            tune=TUNE,
            chains=CHAINS,
            cores=1,
            seed=seed,
            save_warmup=False,
            progress_bar=False,
        ).posterior
        rates = hidden_rates(posterior, answers, self.recall, seed)
        reported = POPULATION * rates[..., 0].ravel()
        draws = {"reported": reported, "size": reported}
        if self.divided:
            draws["size"] = divide_by_tau(reported, tau, np.inf, seed)
        for name in ("mu", "sigma", "exponent", "scatter"):
            if name in posterior:
                draws[name] = posterior[name].to_numpy().ravel()
        for name in ("rho", "inverse_omega"):
            if name in posterior:
                draws[name] = posterior[name].to_numpy()[..., -1].ravel()
        return draws


def from_prior(variant: str, rng: np.random.Generator) -> tuple[World, dict[str, float]]:
    """Draw a world from the narrow priors, and the parameters whose ranks are wanted."""
    model, recall, summed, divided = VARIANTS[variant]
    groups = len(KNOWN) + 1
    truth = {"mu": rng.uniform(*NARROW.mu), "sigma": rng.uniform(*NARROW.sigma)}
    answered = np.exp(rng.uniform(*np.log(NARROW.size)))
    world = World(truth["mu"], truth["sigma"], answered, rho=0.0, exact=False)
    if model in ("barrier", "full", "correlated"):
        rho = rng.uniform(*NARROW.rho, groups)
        world, truth["rho"] = replace(world, rho=rho), rho[-1]
    if model == "overdispersed":
        inverse = rng.uniform(0, 1, groups)
        world, truth["inverse_omega"] = replace(world, inverse_omega=inverse), inverse[-1]
    if model == "correlated":
        world = replace(world, loading=rng.normal(0, NARROW.loading_sd, groups))
    truth["reported"] = answered
    if recall:
        world, truth = _recalled(world, truth, rng)
    if summed:
        del truth["mu"], truth["sigma"]
    tau = rng.beta(TAU.a, TAU.b) if divided else 1.0
    truth["size"] = truth["reported"] / tau
    return world, truth


def _recalled(
    world: World, truth: dict[str, float], rng: np.random.Generator
) -> tuple[World, dict[str, float]]:
    """Recall as the model has it: `world.reported` is what is answered, the size lies behind.

    The flat prior on that size tilts the exponent's: a log-normal over itself is a log-normal.
    """
    sd = NARROW.log_exponent_sd
    exponent = truth["exponent"] = rng.lognormal(-(sd**2), sd)
    scatter = truth["scatter"] = rng.lognormal(*NARROW.log_scatter)
    centre = np.log(KNOWN / POPULATION).mean()
    error = scatter * rng.normal(size=len(KNOWN))
    common = scatter / np.sqrt(len(KNOWN)) * rng.normal()
    own = scatter * rng.normal()
    answered = np.log(world.reported / POPULATION)
    log_size = centre + (answered + common - centre - own) / exponent
    truth["reported"] = POPULATION * np.exp(log_size)
    # simulate() bends sizes; hand it one that bends to what is answered
    bent = POPULATION * np.exp(centre + (answered - centre) / exponent)
    error = np.append(error - error.mean(), 0.0)
    return replace(world, exponent=exponent, error=error, reported=bent), truth


def calibration(variant: str, surveys: int, seed: int) -> dict[str, Any]:
    """Histogram of ranks (10 bins) and p-value of its chi-squared test, per parameter."""
    fitter = Fitter(variant, NARROW)
    ranks: dict[str, list[int]] = {}
    for survey in range(surveys):
        rng = np.random.default_rng([seed, survey])
        world, truth = from_prior(variant, rng)
        draws = fitter(simulate(world, fitter.summed, rng), seed=survey)
        for name, value in truth.items():
            ranks.setdefault(name, []).append(rank(draws[name], value))
    return {name: uniformity(found) for name, found in ranks.items()}


def interval_study(
    variant: str,
    world: Callable[[np.random.Generator], World],
    surveys: int,
    seed: int,
    wrong: Callable[[Answers], Answers] = lambda answers: answers,
    tau: TauPrior = TAU,
) -> dict[str, float]:
    """Bias of the posterior median and coverage of the hidden size over simulated surveys."""
    fitter = Fitter(variant, Priors())
    ratio, in80, in95, width = [], [], [], []
    for survey in range(surveys):
        rng = np.random.default_rng([seed, survey])
        truth = world(rng)
        answers = wrong(simulate(truth, fitter.summed, rng))
        draws = fitter(answers, survey, tau)["size"] / truth.size
        low95, low80, median, high80, high95 = np.quantile(draws, [0.025, 0.1, 0.5, 0.9, 0.975])
        ratio.append(median)
        in80.append(low80 <= 1 <= high80)
        in95.append(low95 <= 1 <= high95)
        width.append(high95 / low95)
    return {
        "surveys": surveys,
        "relative_bias_of_median": float(np.mean(ratio) - 1),
        "its_standard_error": float(np.std(ratio) / np.sqrt(surveys)),
        "cover80": float(np.mean(in80)),
        "cover95": float(np.mean(in95)),
        "median_high_over_low95": float(np.median(width)),
    }


def _tau_world(**settings: Any) -> Callable[[np.random.Generator], World]:
    def draw(rng: np.random.Generator) -> World:
        tau = rng.beta(TAU.a, TAU.b)
        made = {name: v(rng) if callable(v) else v for name, v in settings.items()}
        return World(reported=20_000 * tau, tau=tau, **made)

    return draw


def _plain(**settings: Any) -> Callable[[np.random.Generator], World]:
    return lambda _: World(**settings)


def _recall_error(rng: np.random.Generator) -> np.ndarray:
    return 0.2 * rng.normal(size=len(KNOWN) + 1)


#: variant -> how its surveys come about
WELL_SPECIFIED: dict[str, Callable[[np.random.Generator], World]] = {
    "degree": _plain(rho=0.0),
    "barrier": _plain(),
    "transmission": _tau_world(rho=0.0),
    "full": _tau_world(),
    "full with recall": _tau_world(exponent=0.7, error=_recall_error),
    "full, summed degrees": _tau_world(),
    "overdispersed": _plain(inverse_omega=0.5),
    "correlated": _plain(loading=np.linspace(-0.5, 0.7, len(KNOWN) + 1), exact=False),
}


def _larger(factors: np.ndarray | float) -> Callable[[Answers], Answers]:
    return lambda answers: replace(answers, log_known=answers.log_known + np.log(factors))


#: what is wrong -> (fitted variant, the survey's mechanism, how inputs are spoilt, tau prior)
_ONE_WRONG = np.where(np.arange(len(KNOWN)) == 4, 4.0, 1.0)
MISSPECIFIED: dict[str, tuple[str, Any, Any, TauPrior]] = {
    "barrier, ignored": ("degree", _plain(), None, TAU),
    "strong barrier (rho 0.1), ignored": ("degree", _plain(rho=0.1), None, TAU),
    "transmission, ignored": ("barrier", _tau_world(), None, TAU),
    "prior of tau twice too high": ("full", _tau_world(), None, TauPrior(40, 40, "wrong")),
    "recall (exponent 0.7), ignored": (
        "full",
        _tau_world(exponent=0.7, error=_recall_error),
        None,
        TAU,
    ),
    "recall before transmission, modelled after it": (
        "full with recall",
        _tau_world(exponent=0.7, error=_recall_error, recall_first=True),
        None,
        TAU,
    ),
    "no recall error, modelled": ("full with recall", _tau_world(), None, TAU),
    "known sizes 20 % too large": ("full", _tau_world(), _larger(1.2), TAU),
    "one known size 4 times too large": ("full", _tau_world(), _larger(_ONE_WRONG), TAU),
    "one known size 4 times too large, recall modelled": (
        "full with recall",
        _tau_world(),
        _larger(_ONE_WRONG),
        TAU,
    ),
    "correlated answers, ignored": (
        "barrier",
        _plain(loading=np.linspace(-0.5, 0.7, len(KNOWN) + 1), exact=False),
        None,
        TAU,
    ),
    "barrier, variance-to-mean model": ("overdispersed", _plain(), None, TAU),
    "variance-to-mean answers, barrier model": ("barrier", _plain(inverse_omega=0.5), None, TAU),
}


def run(studies: list[str], only: str | None, surveys: int = 200, seed: int = 20260101) -> None:
    """Run the studies named and merge them into the results file, one model at a time."""
    done = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    done |= {"seed": seed, "respondents": RESPONDENTS, "known": KNOWN.tolist()}
    done |= {"chains": CHAINS, "tune": TUNE, "draws": DRAWS, "tau_prior": [TAU.a, TAU.b]}
    done["code"] = {"version": __version__, "nsum": code_hash("nsum")}
    for study in studies:
        found = done.setdefault(study, {})
        names = MISSPECIFIED if study == "misspecification" else VARIANTS
        for name in [name for name in names if only in (None, name)]:
            start = time.time()
            if study == "calibration":
                found[name] = calibration(name, surveys, seed)
            elif study == "coverage":
                found[name] = interval_study(name, WELL_SPECIFIED[name], surveys, seed)
            else:
                variant, world, wrong, tau = MISSPECIFIED[name]
                spoil = wrong or (lambda answers: answers)
                found[name] = {
                    "fitted": variant,
                    **interval_study(variant, world, surveys // 2, seed, spoil, tau),
                }
            print(f"{study}, {name}: {time.time() - start:.0f} s", found[name], flush=True)
            write_json(RESULTS, done)


STUDIES = ["calibration", "coverage", "misspecification"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("studies", nargs="*", default=STUDIES)
    parser.add_argument("--only", help="the one model or mechanism to run")
    options = parser.parse_args()
    run(options.studies, options.only)


if __name__ == "__main__":
    main()
