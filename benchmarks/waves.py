"""What pooling an earlier wave gains, and what it costs when places have changed.

    python benchmarks/waves.py [--twins N] [--json FILE]

Of each frozen twin ($SMALLAREA_SHARED/data/twins) the present wave is its own survey. An earlier
one is drawn beside it: as many areas, seven in ten of them the same, exposures of the present
areas, counts overdispersed by the survey's design effects, the level 30 % higher, and each area's
rate moved by a lognormal factor of standard deviation 0 (no change), .3 or .6. The latent Gaussian
model is fitted to both: to a share of the earlier interviews, drawn, and to all of them discounted
as much (a power prior). Printed: root mean squared error of rates, the level
taken from the truth, over all areas and over those interviewed now, as ratios to no earlier wave,
with standard errors over twins; and the share of truths of areas not interviewed now that lie
inside 80 % intervals, the level taken likewise.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from accuracy_twins import MODELS, SHARED, read_twin

from smallarea.files import write_json
from smallarea.models import load_models
from smallarea.nsum.direct.earlier import with_earlier
from smallarea.nsum.direct.estimates import Direct
from smallarea.run.code import source_hash

RESULT = Path(__file__).parent / "results" / "waves.json"
CHANGES, SHARES = (0.0, 0.3, 0.6), (0.25, 0.5, 1.0)
SAME, LEVEL = 0.7, 1.3


def true_rates(twin: Path, areas: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the reported rates that the twin's survey samples, area_id x component, and people."""
    truth = pd.read_parquet(twin / "truth.parquet")
    names = [name for name in truth if not name.startswith("tau_")]
    of = {n: areas["children" if n.startswith("victims") else "adults"] for n in names}
    people = pd.DataFrame(of).loc[truth.index]
    return pd.DataFrame({n: truth[n] * truth[f"tau_{n}"] / people[n] for n in names}), people


def earlier_wave(
    now: Direct, rates: pd.DataFrame, change: float, rng: np.random.Generator
) -> Direct:
    """Draw the earlier wave's direct estimates."""
    asked, names = now.reports.index, now.reports.columns
    same = rng.choice(asked, round(SAME * len(asked)), replace=False)
    others = rng.choice(rates.index.difference(asked), len(asked) - len(same), replace=False)
    at = pd.Index(np.concatenate([same, others]), name="area_id").sort_values()
    moved = np.exp(change * rng.standard_normal((len(at), len(names))) - change**2 / 2)
    exposure = now.exposure.iloc[rng.integers(0, len(asked), len(at))].set_axis(at)
    mean = LEVEL * rates.loc[at, names] * moved * exposure
    # Effective counts are Poisson: counts that many times larger have the survey's design effect.
    reports = pd.DataFrame(
        rng.poisson(mean / now.deff[names]) * now.deff[names].to_numpy(), at, names
    )
    rate = reports.sum() / exposure.sum()
    return Direct(reports, exposure, now.deff * rate / exposure, now.deff)


def counted(then: Direct, share: float, rng: np.random.Generator | None) -> Direct:
    """Return a share of the earlier interviews, drawn; without `rng` all, discounted as much."""
    reports = then.reports * share
    if rng is not None:
        whole = (then.reports / then.deff).round().astype(int)
        drawn = pd.DataFrame(rng.binomial(whole, share), whole.index, whole.columns)
        reports = drawn * then.deff
    return Direct(reports, then.exposure * share, then.variance / share, then.deff)


def scored(
    draws: xr.DataArray, rates: pd.DataFrame, people: pd.DataFrame, asked: pd.Index
) -> dict[str, float]:
    """Return errors in national rates, and coverage; means over components."""
    rows = []
    for name in rates:
        drawn = draws.sel(component=name).transpose("area_id", "draw").to_pandas()
        true, who = rates[name], people[name]
        nation = (true @ who) / who.sum()
        drawn = drawn.loc[true.index]
        drawn *= (true @ who) / (drawn.mean(axis=1) @ who)
        gap = (drawn.mean(axis=1) - true) / nation
        low, high = drawn.quantile(0.1, axis=1), drawn.quantile(0.9, axis=1)
        here = true.index.isin(asked)
        inside = ((low <= true) & (true <= high))[~here]
        rows.append([(gap**2).mean() ** 0.5, (gap[here] ** 2).mean() ** 0.5, inside.mean()])
    return dict(zip(("everywhere", "interviewed", "cover_80"), np.mean(rows, axis=0), strict=True))


def main() -> None:
    """Fit every twin at every change and share; print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--twins", type=int, default=12)
    parser.add_argument("--json", type=Path, default=RESULT)
    chosen = parser.parse_args()
    twins = SHARED / "data" / "twins"
    areas = pd.read_parquet(twins / "areas.parquet")
    model = load_models(MODELS, "fast")["latent_gaussian"]
    rows = []
    for twin in sorted((twins / "signal_0.6").iterdir())[: chosen.twins]:
        X, now = read_twin(twin)
        rates, people = true_rates(twin, areas)

        def fitted(direct: Direct, X=X, rates=rates, people=people, now=now) -> dict[str, float]:
            fit = model.fit(X, direct, areas, 1)
            drawn = fit.draws(model.select(X), areas, 500, 1)
            return scored(drawn, rates, people, now.reports.index)

        alone = fitted(now)
        for change in CHANGES:
            then = earlier_wave(now, rates, change, np.random.default_rng([int(twin.name), 7]))
            for share in SHARES:
                for way in ("drawn", "discounted"):
                    rng = np.random.default_rng(int(twin.name)) if way == "drawn" else None
                    found = fitted(with_earlier(now, counted(then, share, rng)))
                    rows.append(
                        {"twin": twin.name, "change": change, "share": share, "way": way}
                        | {k: found[k] / alone[k] for k in ("everywhere", "interviewed")}
                        | {"cover_80": found["cover_80"], "cover_80_alone": alone["cover_80"]}
                    )
        print(f"{twin.name}: done", flush=True)
    by = pd.DataFrame(rows).drop(columns="twin").groupby(["change", "share", "way"])
    errors = by.sem().drop(columns="cover_80_alone").add_suffix("_se")
    table = by.mean().join(errors).round(4)
    print(table.to_string())
    write_json(
        chosen.json,
        {
            "twins": chosen.twins,
            "code": source_hash([Path(__file__), MODELS / "latent_gaussian.py"]),
            "ratios": table.reset_index().to_dict("records"),
        },
    )


if __name__ == "__main__":
    main()
