"""Two finished runs, a programme that the later one knows, and what their surveys say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smallarea.findings.by_programme import ByProgramme, compare_by
from smallarea.findings.series import years_of
from smallarea.nsum import load_direct
from smallarea.run.kept import kept_stage
from smallarea.run.programmes import areas_of

if TYPE_CHECKING:
    from smallarea.nsum import Direct
    from smallarea.run.record import Run


def change_by_programme(
    earlier: Run, later: Run, name: str, *, tau_drift: float = 0.0
) -> ByProgramme:
    """Compare areas with and without a programme; `programme` is any of them.

    Raises
    ------
    InputError : the later run knows no such programme, or a run's stages are gone.
    """
    rows = areas_of(later.folder, [name])
    start = rows.groupby("area_id")["start"].min()
    years = years_of([earlier, later])
    found = None if years is None else (int(years[0]), int(years[1]))
    parts = {count: later.indicators.parts(count) for count in later.indicators.totals}
    waves = (_direct(earlier), _direct(later))
    return compare_by(waves, start, parts, programme=name, years=found, tau_drift=tau_drift)


def _direct(run: Run) -> Direct:
    asked = run.manifest["settings"].get("direct") is None
    root = run.folder.resolve().parents[1]
    return load_direct(kept_stage(run, root, "nsum" if asked else "direct"))
