"""The survey: aggregated relational data, reading it, its design."""

from smallarea.survey.ard import ARD, make_ard
from smallarea.survey.reading import Columns, read_ard

__all__ = ["ARD", "Columns", "make_ard", "read_ard"]
