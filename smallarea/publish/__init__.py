"""From draws to what people open: tables, draws, map, report, all after disclosure control."""

from smallarea.publish.disclosure import MINIMUM_REFERENCE, check_columns, suppress
from smallarea.publish.draws import draws_dataset, write_draws
from smallarea.publish.estimates import (
    COLUMNS,
    SYNTHETIC,
    estimate_areas,
    estimate_groups,
    flag_areas,
)
from smallarea.publish.geopackage import write_geopackage
from smallarea.publish.map import write_map
from smallarea.publish.report import ReportInput, write_report
from smallarea.publish.sidecar import write_csvw, write_hxl
from smallarea.publish.tables import (
    wide_table,
    write_csv,
    write_geoparquet,
    write_parquet,
)
from smallarea.publish.words import FLAG_WORDS
from smallarea.publish.workbook import overview, write_excel

__all__ = [
    "COLUMNS",
    "FLAG_WORDS",
    "MINIMUM_REFERENCE",
    "SYNTHETIC",
    "ReportInput",
    "check_columns",
    "draws_dataset",
    "estimate_areas",
    "estimate_groups",
    "flag_areas",
    "overview",
    "suppress",
    "wide_table",
    "write_csv",
    "write_csvw",
    "write_draws",
    "write_excel",
    "write_geopackage",
    "write_geoparquet",
    "write_hxl",
    "write_map",
    "write_parquet",
    "write_report",
]
