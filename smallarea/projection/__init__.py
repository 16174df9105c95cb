"""From fitted models to every area: agreement with the nation, indicators, summaries, decisions."""

from smallarea.projection.bounds import apply_tau, bound_rates, bounded_words
from smallarea.projection.consistency import Agreement, agree, discrepancy
from smallarea.projection.counts import reference_sizes, to_counts
from smallarea.projection.decisions import probability_above, probability_top
from smallarea.projection.indicators import count_draws, indicator_draws
from smallarea.projection.summaries import summarise

__all__ = [
    "Agreement",
    "agree",
    "apply_tau",
    "bound_rates",
    "bounded_words",
    "count_draws",
    "discrepancy",
    "indicator_draws",
    "probability_above",
    "probability_top",
    "reference_sizes",
    "summarise",
    "to_counts",
]
