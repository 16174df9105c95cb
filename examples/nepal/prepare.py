"""Cut what the example needs out of the census of Nepal, 2011: python prepare.py CENSUS.parquet

Written into data/: the frame, housing, and direct counts of four rare groups as indirect questions
in 150 places would give them of the census truth (seeded; marked SYNTHETIC), and that truth.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
GROUPS = {
    "physical": "PHYSICAL",
    "blind": "BLINDNESS_LOW_VISION",
    "speech": "SPEECH_PROBLEM",
    "mental": "MENTAL_DISABILITY",
}
KINDS = ("COOKING", "DRINKING", "HOUSEHOLD_FAC", "LIGHTING", "OUTER", "ROOF", "TOILET")
PLACES, REPORTS, SEED = 150, 100, 1


def main(source: Path) -> None:
    census = pd.read_parquet(source)
    code = [f"n{i:04d}" for i in range(len(census))]  # names are not unique: position is the key
    people = census["HOUSEHOLD_POPULATION_SIZE_TOTAL_POPULATION"].astype(int)
    households = census["HOUSEHOLD_POPULATION_SIZE_HOUSEHOLD"].replace(0, np.nan)
    out = HERE / "data"
    out.mkdir(exist_ok=True)
    rng = np.random.default_rng(SEED)
    district = census["DISTRICT"].str.title()
    # No positions were published with these tables: districts on a grid, places within.
    names = sorted(district.unique())
    number = district.map({name: i for i, name in enumerate(names)})
    lon = 80.4 + 0.5 * (number % 15) + rng.uniform(0, 0.45, len(census))
    lat = 26.6 + 0.7 * (number // 15) + rng.uniform(0, 0.65, len(census))
    frame = {"code": code, "name": census["VDC.MUNICIPALITY"].str.title(), "district": district}
    frame |= {"people": people, "lon": lon.round(4), "lat": lat.round(4)}
    pd.DataFrame(frame).to_csv(out / "places.csv", index=False)

    shares = census[[c for c in census if c.startswith(KINDS)]].div(households, axis=0)
    shares = shares.loc[:, shares.nunique() > 5].rename(columns=str.lower)
    shares.round(4).assign(code=code).set_index("code").to_csv(out / "housing.csv")

    large = np.flatnonzero(people > 200)
    weight = people.to_numpy(float)[large]
    asked = np.sort(rng.choice(large, PLACES, replace=False, p=weight / weight.sum()))
    rows, truth = [], {"code": code}
    for group, column in GROUPS.items():
        count = census[f"POPULATION_BY_DISABILITY_AND_SEX_{column}_BOTH_SEX"].to_numpy(float)
        truth[group] = count
        rate = count[asked] / people.to_numpy(float)[asked]
        exposure = 2400 * rng.gamma(4, 1 / 4, PLACES)
        told = REPORTS / (rate * exposure).sum()  # the share that is reported
        rows.append(
            pd.DataFrame(
                {
                    "area": np.array(code)[asked],
                    "component": group,
                    "reports": rng.poisson(told * rate * exposure),
                    "exposure": (told * exposure).round(2),
                    "notice": "SYNTHETIC SURVEY: counts drawn from the census",
                }
            )
        )
    pd.concat(rows).to_csv(out / "direct.csv", index=False)
    pd.DataFrame(truth).to_csv(out / "truth.csv", index=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
