"""The digital twin: real geography, an invented survey and invented streams, known truth."""

from smallarea.simulate.settings import LABEL, TwinSettings
from smallarea.simulate.survey import Survey, simulate_survey
from smallarea.simulate.truth import Truth, grow_truth
from smallarea.simulate.writing import simulate

__all__ = ["LABEL", "Survey", "Truth", "TwinSettings", "grow_truth", "simulate", "simulate_survey"]
