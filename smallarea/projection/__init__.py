"""From fitted models to every area: agreement with the nation, indicators, summaries, decisions."""

from smallarea.projection.alternatives import side_by_side
from smallarea.projection.bounds import apply_tau, bound_rates, bounded_words
from smallarea.projection.consistency import Agreement, agree, discrepancy
from smallarea.projection.counts import reference_sizes, to_counts
from smallarea.projection.decisions import probability_above, probability_top
from smallarea.projection.indicators import count_draws, indicator_draws
from smallarea.projection.summaries import summarise
from smallarea.projection.top_down import Given, TopDown, agree_top_down

__all__ = [
    "Agreement",
    "Given",
    "TopDown",
    "agree",
    "agree_top_down",
    "apply_tau",
    "bound_rates",
    "bounded_words",
    "count_draws",
    "discrepancy",
    "indicator_draws",
    "probability_above",
    "probability_top",
    "reference_sizes",
    "side_by_side",
    "summarise",
    "to_counts",
]
