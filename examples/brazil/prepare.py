"""Cut what the example needs out of the Atlas of Human Development: python prepare.py ATLAS_FOLDER

ATLAS_FOLDER holds atlas_2000.parquet, atlas_2010.parquet and municipality_places.csv. Written into
data/: the frame, the covariates of 2000, and direct estimates as a survey of 150 municipalities
with 24 households each would give them of the census 2010 truth (seeded; marked SYNTHETIC), and
that truth, to compare with.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
FEATURES = [
    *("t_analf18m", "t_luz", "t_agua", "t_banagua", "t_lixo", "t_dens", "p_agro"),
    *("espvida", "fectot", "mort1", "e_anosestudo", "t_freq6", "t_env", "razdep"),
]
AREAS, HOUSEHOLDS, DEFF, SEED = 150, 24, 1.5, 1


def main(source: Path) -> None:
    before = pd.read_parquet(source / "atlas_2000.parquet").set_index("codmun7").sort_index()
    after = pd.read_parquet(source / "atlas_2010.parquet").set_index("codmun7").loc[before.index]
    places = (
        pd.read_csv(source / "municipality_places.csv").set_index("codigo_ibge").loc[before.index]
    )
    code = before.index.astype(str)
    out = HERE / "data"
    out.mkdir(exist_ok=True)
    frame = pd.DataFrame(
        {
            "code": code,
            "name": before["municipio"].to_numpy(),
            "state_code": before["uf"].astype(str).to_numpy(),
            "state": before["ufn"].to_numpy(),
            "people": after["pesotot"].round().astype(int).to_numpy(),
            "lon": places["longitude"].round(4).to_numpy(),
            "lat": places["latitude"].round(4).to_numpy(),
        }
    )
    frame.to_csv(out / "municipalities.csv", index=False)
    before[FEATURES].round(2).assign(code=code).set_index("code").to_csv(out / "atlas_2000.csv")
    share = after["pmpob"].to_numpy(float) / 100
    rng = np.random.default_rng(SEED)
    people = frame["people"].to_numpy(float)
    asked = np.sort(rng.choice(len(frame), AREAS, replace=False, p=people / people.sum()))
    size = HOUSEHOLDS / DEFF
    own = rng.beta(3 * size * share[asked] + 0.05, 3 * size * (1 - share[asked]) + 0.05)
    direct = pd.DataFrame(
        {
            "area": code[asked],
            "component": "poor",
            "yes": rng.binomial(HOUSEHOLDS, own),
            "asked": HOUSEHOLDS,
            "notice": "SYNTHETIC SURVEY: answers drawn from the census",
        }
    )
    direct.to_csv(out / "direct.csv", index=False)
    pd.DataFrame({"code": code, "poor": share.round(4)}).to_csv(out / "truth_2010.csv", index=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
