"""What a suppressed cell may stand for."""

from __future__ import annotations

import numpy as np
import pandas as pd

from smallarea.reading.cells import SUPPRESSED, as_text
from smallarea.reading.column import Column


def bounds_of(cells: pd.Series, column: Column) -> pd.DataFrame:
    """Return the `least` and `most` that suppressed cells may stand for; NaN for all other cells.

    "<5" is 0 to 4 of a count (some offices withhold zeros too), 0 to 5 of other numbers; "≤10" is
    up to 10. A column's `min` holds.
    """
    text = as_text(cells)
    marked = text.str.fullmatch(SUPPRESSED).fillna(False).astype(bool)
    limit = pd.to_numeric(text[marked].str.extract(r"(\d+)")[0]).astype(float)
    whole = column.type == "integer"
    open_end = ~text[marked].str.contains("[≤=]", regex=True)
    most = limit - (open_end if whole else 0)
    least = pd.Series(column.min or 0, most.index, dtype=float)
    both = pd.DataFrame({"least": np.minimum(least, most), "most": most})
    return (both * column.times).reindex(cells.index)
