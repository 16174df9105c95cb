"""A project as Dagster assets: sources, streams, models and products, with checks and a schedule.

Extra `dagster`. A code location is one file beside the catalog::

    from smallarea.assets import definitions

    defs = definitions("/srv/project")

Nothing is computed here: sources are fetched and checked as `smallarea fetch` and `catalog check`
do it, all else is one `smallarea refresh`, whose stages know by content what has to be made anew.
Each asset's data version is the hash of what it holds, so that Dagster marks as stale what is made
of a source that changed, and what comes out as before leaves what stands behind it fresh.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg

from smallarea.features import load_streams
from smallarea.fetching.cadence import days_of
from smallarea.files import digest_of
from smallarea.project import Project
from smallarea.refreshing import fetch, refresh
from smallarea.run.checking import ABSENT, BROKEN
from smallarea.run.record import Run, damage_of
from smallarea.run.records import read_record

SOURCE, STREAM, MODEL, PRODUCT = "source", "stream", "model", "product"
#: Files of a run that people open.
PRODUCTS = ("estimates.parquet", "estimates.xlsx", "estimates.gpkg", "map.html", "report.html")
#: Twice its cadence a source may be old.
LATE = 2


class How(dg.Config):
    """Whether the models are fitted again; without, those fitted last see today's streams."""

    refit: bool = False


def definitions(root: str | Path, cron: str = "30 4 * * *") -> dg.Definitions:
    """Return assets, checks and a schedule of a project.

    Parameters
    ----------
    root : the project's folder, with its catalog. cron : when all of it is refreshed.

    Raises
    ------
    InputError : the catalog, a stream or a model file is wrong.
    """
    everything = dg.define_asset_job("refresh", dg.AssetSelection.all())
    return dg.Definitions(
        assets=[_sources(Path(root)), _made(Path(root))],
        jobs=[everything],
        schedules=[dg.ScheduleDefinition("by_the_clock", job=everything, cron_schedule=cron)],
    )


def _sources(root: Path) -> dg.AssetsDefinition:
    catalog = Project(root).catalog.sources
    specs = [
        dg.AssetSpec(
            dg.AssetKey([SOURCE, name]),
            description=source.title,
            metadata={"publisher": source.publisher, "access": source.access},
            freshness_policy=_fresh(source.cadence),
            group_name="sources",
        )
        for name, source in catalog.items()
    ]
    contracts = [dg.AssetCheckSpec("contract", asset=spec.key) for spec in specs]

    @dg.multi_asset(name="sources", specs=specs, check_specs=contracts)
    def sources() -> Iterator[dg.MaterializeResult]:
        project = Project(root)
        came = {one.source: one.said for one in fetch(project, due=True, wait=True)}
        for row in project.check(wait=True).to_dict("records"):
            held = row["state"] != BROKEN and not (row["state"] == ABSENT and row["required"])
            said = "; ".join(filter(None, [came.get(row["source"]), row["said"]]))
            key = dg.AssetKey([SOURCE, row["source"]])
            contract = dg.AssetCheckResult(
                passed=held, asset_key=key, check_name="contract", metadata={"said": said}
            )
            version = dg.DataVersion(row["sha256"] or ABSENT)
            yield dg.MaterializeResult(key, data_version=version, check_results=[contract])

    return sources


def _made(root: Path) -> dg.AssetsDefinition:
    streams = load_streams(root / "features").values()
    models = sorted(path.stem for path in (root / "models").glob("[!_]*.py"))
    features, answers = dg.AssetKey("features"), dg.AssetKey("answers")
    rates, products = dg.AssetKey("rates"), [dg.AssetKey([PRODUCT, n]) for n in PRODUCTS]
    specs = [
        dg.AssetSpec(
            dg.AssetKey([STREAM, stream.name]),
            deps=[dg.AssetKey([SOURCE, name]) for name in stream.sources],
            description=stream.about,
            group_name="streams",
        )
        for stream in streams
    ]
    specs += [dg.AssetSpec(features, deps=[s.key for s in specs], group_name="features")]
    specs += [dg.AssetSpec(answers, group_name="answers")]
    fits = [dg.AssetSpec(dg.AssetKey([MODEL, n]), deps=[features, answers]) for n in models]
    specs += [spec.replace_attributes(group_name="models") for spec in fits]
    specs += [dg.AssetSpec(rates, deps=[spec.key for spec in fits], group_name="models")]
    specs += [dg.AssetSpec(key, deps=[rates, features], group_name="products") for key in products]
    whole = dg.AssetCheckSpec("verify", asset=products[0])
    sound = dg.AssetCheckSpec("nothing_in_quarantine", asset=features)

    @dg.multi_asset(name="run", specs=specs, check_specs=[whole, sound])
    def made(config: How) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        run = refresh(project=Project(root), refit=config.refit, wait=True).run
        written = _written(run, root)
        for spec in specs:
            kind, name = spec.key.path[0], spec.key.path[-1]
            stage = {
                STREAM: f"features-{name}", MODEL: "models", "rates": "projection",
                "features": "features", "answers": "nsum" if "nsum" in written else "direct",
            }.get(kind)  # fmt: skip
            version = run.manifest["outputs"][name] if stage is None else written.get(stage, ABSENT)
            yield dg.MaterializeResult(
                asset_key=spec.key,
                data_version=dg.DataVersion(version),
                metadata={"run": run.folder.name},
            )
        damaged = damage_of(run.folder)
        yield dg.AssetCheckResult(
            passed=not damaged, asset_key=whole.asset_key, check_name=whole.name,
            metadata={"said": "; ".join(damaged) or "every file is what was written"},
        )  # fmt: skip
        aside = run.manifest["quarantined"]
        yield dg.AssetCheckResult(
            passed=not aside, asset_key=sound.asset_key, check_name=sound.name,
            severity=dg.AssetCheckSeverity.WARN, metadata={"said": "; ".join(aside) or "nothing"},
        )  # fmt: skip

    return made


def _written(run: Run, root: Path) -> dict[str, str]:
    """Return stage -> hash of all it wrote; a stage that was cleaned away is not there."""
    records = {n: read_record(root / s["folder"]) for n, s in run.manifest["stages"].items()}
    return {name: digest_of(record.hashes) for name, record in records.items() if record}


def _fresh(cadence: str) -> dg.FreshnessPolicy | None:
    days = days_of(cadence)
    return None if days is None else dg.FreshnessPolicy.time_window(timedelta(days=LATE * days))
