"""The twin's CSV streams, column by column as their publishers give them out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.special import expit

from smallarea.simulate.world import World, expand, suppress

MONTHS = [f"2022-{month:02d}" for month in range(1, 13)]
QUARTERS = [f"2022Q{quarter}" for quarter in range(1, 5)]


def population_2015(world: World, path: Path) -> None:
    """Census counts of 2015: people grew faster in towns since."""
    growth = 0.012 + 0.006 * world.measure(urbanicity=0.7, connectivity=0.3)
    past = np.maximum(np.rint(world.people / (1 + growth) ** 9), 1).astype(int)
    world.table("9-digit", population_2015=past).pipe(_recoded, world).to_csv(path, index=False)


def poverty(world: World, path: Path) -> None:
    """Small area estimates of poverty for three years, with their standard errors."""
    level = world.measure(deprivation=1.0, remoteness=0.2)
    years = []
    for year, mean in ((2003, -0.6), (2006, -0.65), (2009, -0.8)):
        rate = 100 * expit(mean + 0.7 * level + world.rng.normal(0, 0.15, len(level)))
        error = world.rng.gamma(9, 0.4, len(level))
        estimate = np.clip(rate, 0.1, 99).round(2)
        years.append(
            world.table(
                "9-digit",
                year=np.full(len(level), year),
                poverty_incidence_pct=estimate,
                se_pct=error.round(2),
                cv_pct=(100 * error / estimate).round(2),
            ).pipe(_recoded, world)
        )
    pd.concat(years).sort_values(["psgc", "year"]).to_csv(path, index=False)


def housing(world: World, path: Path) -> None:
    """Dwellings of 2010 by material of roof and wall."""
    parts = ("strong", "light", "salvaged")
    names = [f"roof_{roof}_wall_{wall}" for roof in parts for wall in parts]
    base = np.log([0.62, 0.16, 0.008, 0.012, 0.17, 0.008, 0.003, 0.004, 0.015])
    slope = np.array([-0.7, 0.3, 0.4, 0.1, 0.8, 0.6, 0.3, 0.6, 0.5])
    logits = base + np.outer(world.measure(deprivation=1.0, urbanicity=-0.3), slope)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    units = np.maximum(world.people * 0.82 / 4.6, 1).astype(int)
    counts = pd.DataFrame(world.rng.multinomial(units, shares), columns=names)
    walls = counts.filter(regex="wall_(?:light|salvaged)").sum(axis=1)
    columns = {name: counts[name].to_numpy() for name in names}
    world.table(
        "9-digit",
        housing_units=units,
        **columns,
        share_strong_strong=(counts[names[0]] / units).round(4).to_numpy(),
        share_light_or_salvaged_wall=(walls / units).round(4).to_numpy(),
        share_any_salvaged=(counts.filter(like="salvaged").sum(axis=1) / units).round(4).to_numpy(),
    ).pipe(_recoded, world).to_csv(path, index=False)


def telco(world: World, path: Path) -> None:
    """One operator's monthly aggregates; cells with fewer than 15 subscribers are withheld."""
    w, rng = world, world.rng
    signal = w.measure(connectivity=0.8, remoteness=-0.5)
    share = 0.3 * expit(0.5 + 1.2 * signal) * expit(5 * (signal + 2.2))  # few towers far away
    per_subscriber = {
        "data_gb": 9 * np.exp(0.35 * w.measure(connectivity=0.7, urbanicity=0.3)),
        "video_calls": 6
        * np.exp(0.4 * w.measure(connectivity=0.5, urbanicity=0.5, deprivation=0.6)),
        "video_minutes": 55 * np.exp(0.4 * w.measure(connectivity=0.6, deprivation=0.5)),
        "long_trips": 1.5 * np.exp(0.3 * w.measure(urbanicity=0.6, remoteness=-0.4)),
        "short_trips": 20 * np.exp(0.25 * w.measure(urbanicity=0.8)),
    }
    network = 24 * np.exp(0.2 * w.measure(urbanicity=0.4, connectivity=0.4))
    centrality = expit(-1 + 0.6 * w.measure(urbanicity=0.8, remoteness=-0.4))
    months = []
    for month in MONTHS:
        subscribers = rng.poisson(w.people * share * np.exp(rng.normal(0, 0.04, len(share))))

        def shaken(mean: np.ndarray) -> np.ndarray:
            return mean * np.exp(rng.normal(0, 0.05, len(mean)))

        months.append(
            w.table(
                "2023",
                month=np.full(len(share), month),
                subscribers=subscribers,
                data_gb=(subscribers * shaken(per_subscriber["data_gb"])).round(1),
                video_calls=rng.poisson(subscribers * shaken(per_subscriber["video_calls"])),
                video_minutes=(subscribers * shaken(per_subscriber["video_minutes"])).round(0),
                network_size=shaken(network).round(2),
                centrality=np.minimum(shaken(centrality), 1).round(4),
                long_trips=rng.poisson(subscribers * shaken(per_subscriber["long_trips"])),
                short_trips=rng.poisson(subscribers * shaken(per_subscriber["short_trips"])),
            )
        )
    table = pd.concat(months)
    table = table[table["subscribers"] > 0].sort_values(["psgc", "month"], ignore_index=True)
    measures = list(table.columns[2:])
    suppress(table, measures, table["subscribers"] < 15, "<15").to_csv(path, index=False)


def suspicious_transactions(world: World, path: Path) -> None:
    """Quarterly reports of financial institutions; cells with fewer than 5 are withheld."""
    rng = world.rng
    level = world.measure(urbanicity=0.5, connectivity=0.5, deprivation=0.4)
    mean = expand(world.people, 9e-5, 0.8 * level)
    amount = 9_000 * np.exp(rng.normal(0, 0.5, len(mean)))
    quarters = []
    for quarter in QUARTERS:
        reports = rng.poisson(mean * rng.gamma(8, 1 / 8, len(mean)))
        quarters.append(
            world.table(
                "10-digit",
                quarter=np.full(len(mean), quarter),
                reports=reports,
                amount_php=np.rint(amount * rng.gamma(2 * reports + 1e-9, 0.5)).astype(int),
            )
        )
    table = pd.concat(quarters)
    table = table[table["reports"] > 0].sort_values(["psgc", "quarter"], ignore_index=True)
    few = table["reports"] < 5
    suppress(table, ["reports", "amount_php"], few, "<5").to_csv(path, index=False)


def civil_registration(world: World, path: Path) -> None:
    """Births, marriages and mothers under 20, registered in 2021."""
    births = world.rng.poisson(expand(world.people, 0.013, 0.12 * world.measure(deprivation=1.0)))
    marriages = world.rng.poisson(
        expand(world.people, 0.003, -0.15 * world.measure(remoteness=1.0))
    )
    young = expit(-2.6 + 0.4 * world.measure(deprivation=0.8, conflict=0.3))
    world.table(
        "10-digit",
        births=births,
        marriages=marriages,
        teenage_mothers=world.rng.binomial(births, young),
    ).to_csv(path, index=False)


def ict_household_survey(world: World, path: Path) -> None:
    """Regional shares of households with internet and with a computer."""
    table = world.frame.table
    level = pd.Series(world.measure(connectivity=1.0, deprivation=-0.3), table.index)
    region = (level * table["population"]).groupby(table["region"]).sum()
    region /= table["population"].groupby(table["region"]).sum()
    shares = {"internet_share": expit(-1.6 + region), "computer_share": expit(-1.3 + 0.8 * region)}
    pd.DataFrame(shares).round(3).rename_axis("region").reset_index().to_csv(path, index=False)


def social_amelioration(world: World, path: Path) -> None:
    """Families helped in 2020 and the pesos paid."""
    served = world.people / 4.4 * expit(1.2 + 0.5 * world.measure(deprivation=1.0))
    families = world.rng.poisson(served)
    grant = 5_500 * np.exp(0.12 * world.measure(urbanicity=1.0))
    amount = np.rint(families * grant).astype(int)
    world.table("10-digit", families_served=families, amount_php=amount).to_csv(path, index=False)


def commuting(world: World, path: Path) -> None:
    """Trips between areas: a gravity model over near areas and each province's largest one.

    Old 9-digit codes; `000000000` stands for places outside the country.
    """
    table, rng = world.frame.table, world.rng
    near = csr_array(world.frame.neighbours)
    origin, destination = (near + near @ near).nonzero()
    largest = table.groupby("province_id")["population"].idxmax()
    hub = table.index.get_indexer(pd.Index(table["province_id"].map(largest)))
    origin = np.concatenate([origin, np.arange(len(table))])
    destination = np.concatenate([destination, hub])
    pairs = pd.DataFrame({"o": origin, "d": destination}).drop_duplicates()
    o, d = pairs["o"].to_numpy(), pairs["d"].to_numpy()
    lat, lon = table["lat"].to_numpy(), table["lon"].to_numpy()
    km = 111.2 * np.hypot(lat[o] - lat[d], (lon[o] - lon[d]) * np.cos(np.radians(lat[o])))
    pull = world.people * np.exp(0.5 * world.measure(urbanicity=0.7, connectivity=0.3))
    attraction = pull[d] * np.exp(-km / 15)
    reach = pd.Series(attraction).groupby(o).transform("sum").to_numpy()
    trips = rng.poisson(0.3 * world.people[o] * attraction / np.maximum(reach, 1e-300))
    codes = world.codes("9-digit").reindex(table.index).to_numpy(object)
    flows = pd.DataFrame(
        {"origin_psgc": codes[o], "destination_psgc": codes[d], "trips": trips}
    ).dropna()
    abroad = pd.DataFrame({"origin_psgc": codes[hub], "destination_psgc": "000000000"}).dropna()
    abroad = abroad.drop_duplicates().assign(trips=lambda a: rng.poisson(40, len(a)))
    flows = pd.concat([flows, abroad]).query("trips > 0")
    flows.sort_values(["origin_psgc", "destination_psgc"]).to_csv(path, index=False)


def _recoded(table: pd.DataFrame, world: World) -> pd.DataFrame:
    """Put present 10-digit codes on rows that existed under the old 9-digit ones."""
    codes = world.codes("9-digit")
    present = pd.Series(codes.index, codes.to_numpy())
    return table.assign(psgc=table["psgc"].map(present))
