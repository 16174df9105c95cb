"""The features of a finished run, described for those who are about to use them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from smallarea.areas import load_frame
from smallarea.features import load_features, load_streams
from smallarea.files import private_folder, writing
from smallarea.publish.features_page import write_features_page
from smallarea.run.kept import kept_stage
from smallarea.spreadsheets import harmless_table

if TYPE_CHECKING:
    from smallarea.run.record import Run

FOLDER = "{run}-features"


def describe_run(run: Run, root: Path, out: Path | None = None) -> list[Path]:
    """Write features.html, columns.csv and missing.csv (mode 0600), by default beside the run.

    Stream files are read as they are now, for what they say of themselves.

    Raises
    ------
    InputError : the run's stages are gone.
    """
    frame = load_frame(kept_stage(run, root, "frame"))
    features = load_features(kept_stage(run, root, "features"))
    about = {stream.name: stream.about for stream in load_streams(root / "features").values()}
    folder = out or run.folder.parent / FOLDER.format(run=run.folder.name)
    private_folder(folder)
    tables = {"columns.csv": features.info.reset_index(), "missing.csv": features.missing}
    for name, table in tables.items():
        with writing(folder / name) as temporary:
            harmless_table(table).to_csv(temporary, index=False)
            temporary.chmod(0o600)
    page = folder / "features.html"
    title, synthetic = run.indicators.title, run.synthetic
    write_features_page(features, frame.geometry, about, page, title=title, synthetic=synthetic)
    return [page, *(folder / name for name in tables)]
