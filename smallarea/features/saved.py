"""Features on disk: the matrix, what its columns are, the account of every row read."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from smallarea.catalog import ReadReport
from smallarea.features.build import Features
from smallarea.files import write_json

#: What models learn from: they need not be fitted again where only the rest has changed.
LEARNED_FROM = ("values.parquet", "streams.json")
ROWS = ["row", "key", "reason", "source", "file"]


def save_features(features: Features, folder: Path) -> None:
    """Write values.parquet, streams.json (feature -> stream), observed.parquet, missing.parquet,
    info.csv, unmatched.csv (every row without an area), reports.json.
    """
    features.values.to_parquet(folder / "values.parquet")
    write_json(folder / "streams.json", features.stream)
    features.observed.to_parquet(folder / "observed.parquet")
    features.missing.to_parquet(folder / "missing.parquet")
    features.info.to_csv(folder / "info.csv")
    parts = [r.unmatched.assign(source=r.source, file=r.file) for r in features.reports]
    unmatched = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=ROWS)
    unmatched.to_csv(folder / "unmatched.csv", index=False)
    accounts = [asdict(r) | {"unmatched": None} for r in features.reports]
    write_json(folder / "reports.json", accounts)


def load_features(folder: Path) -> Features:
    """Read what :func:`save_features` wrote."""
    unmatched = pd.read_csv(folder / "unmatched.csv", dtype={"key": str}, keep_default_na=False)
    reports = []
    for account in json.loads((folder / "reports.json").read_text()):
        own = (unmatched["source"] == account["source"]) & (unmatched["file"] == account["file"])
        rows = unmatched.loc[own, ["row", "key", "reason"]].reset_index(drop=True)
        notes = tuple(account["notes"])
        reports.append(ReadReport(**account | {"unmatched": rows, "notes": notes}))
    return Features(
        pd.read_parquet(folder / "values.parquet"),
        pd.read_csv(folder / "info.csv", index_col="feature", dtype={"vintage": str}),
        reports,
        pd.read_parquet(folder / "observed.parquet"),
        pd.read_parquet(folder / "missing.parquet"),
    )
