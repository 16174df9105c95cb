"""A project of twelve towns that runs in seconds, for tests that need a finished run."""

from pathlib import Path

import numpy as np
import pandas as pd

import smallarea as sa

ROOT = Path(__file__).parents[1]
CATALOG = """
frame:
  connector: table
  publisher: nobody
  licence: none
  vintage: "2020"
  crs: EPSG:32632
  area_crs: EPSG:6933
  file: towns.csv
  code: code
  name: town
  population: people
  lon: x
  lat: y
  coast: {farthest_km: 30}
  levels: [{name: shire}]
  labels: {area: Town, areas: towns, shire: Shire}
sources:
  books:
    title: Books read
    publisher: nobody
    licence: none
    access: open
    file: books.csv
    kind: table
    cadence: yearly
    vintage: 2020
    key: {code: code}
    columns: {books: {min: 0}}
indicators:
  title: "Left-handed people: estimates by town"
  populations: {population: {label: people}}
  components:
    left:
      population: population
      label: Left-handed people
      definition: Who writes with the left hand.
      excludes: Who can do both.
      reference_period: "2020"
settings:
  seed: 3
  direct:
    file: data/direct.csv
    title: Answers to a test
    publisher: nobody
    vintage: 2020
    national: {left: {total: 3000, se: 300, source: a census}}
  top_k: 3
  folds: 2
  draws: {fast: 200}
"""


def small_country(root: Path) -> sa.Project:
    """Write twelve areas in four shires, one component, one stream, two plain models."""
    rng = np.random.default_rng(1)
    number = np.arange(12)
    code = [f"t{i:02d}" for i in number]
    people = rng.integers(800, 5000, 12)
    for name in ("features", "models", "data"):
        (root / name).mkdir(parents=True)
    (root / "data_catalog.yaml").write_text(CATALOG)
    table = {"code": code, "town": [f"Town {i}" for i in number], "shire": number // 3}
    table |= {"people": people, "x": 10 + number % 4 / 10, "y": 50 + number // 4 / 10}
    towns = pd.DataFrame(table).assign(shire=[f"Shire {i // 3}" for i in number])
    towns.to_csv(root / "data" / "towns.csv", index=False)
    books = pd.DataFrame({"code": code, "books": rng.uniform(1, 9, 12).round(1)})
    books.to_csv(root / "data" / "books.csv", index=False)
    asked = pd.DataFrame({"area": code[::2], "component": "left", "yes": [9, 14, 8, 11, 10, 12]})
    asked.assign(asked=100).to_csv(root / "data" / "direct.csv", index=False)
    (root / "features" / "books.py").write_text(
        '"""Books."""\nfrom smallarea.features import stream, tables\n\n\n'
        '@stream(source="books", unit={"books": "books a year"})\n'
        'def books(books, areas):\n    return tables.align(books, areas)[["books"]]\n'
    )
    for model in ("national_rate", "poisson_ridge"):
        text = (ROOT / "models" / f"{model}.py").read_text()
        text = text.replace(', profiles=["full"], stack=False', "")
        (root / "models" / f"{model}.py").write_text(text)
    return sa.Project(root)


def with_pens(root: Path) -> Path:
    """Give the small project a second stream, of a second source; return its folder."""
    catalog = root / "data_catalog.yaml"
    text = catalog.read_text()
    entry = text[text.index("  books:") : text.index("indicators:")]
    catalog.write_text(text.replace(entry, entry + entry.replace("books", "pens")))
    books = (root / "features" / "books.py").read_text()
    (root / "features" / "pens.py").write_text(books.replace("books", "pens"))
    table = pd.read_csv(root / "data" / "books.csv").rename(columns={"books": "pens"})
    table.assign(pens=table["pens"] ** 2).to_csv(root / "data" / "pens.csv", index=False)
    return root
