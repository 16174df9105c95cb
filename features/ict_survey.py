"""Internet and computers at home: the region's share of households, from a national survey.

Trap: every area of a region has the same value; the columns tell regions apart and nothing else.
"""

from smallarea.features import stream, tables


@stream(
    source="ict_survey",
    unit=dict.fromkeys(("internet_share", "computer_share"), "share of the region's households"),
)
def ict_survey(regions, areas):
    return tables.join_down(regions, areas)[["internet_share", "computer_share"]]
