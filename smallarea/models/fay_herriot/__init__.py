"""Area-level models of direct estimates with known sampling variances (Fay & Herriot 1979)."""

from smallarea.models.fay_herriot.fitting import FayHerriotFit, fit_fay_herriot
from smallarea.models.fay_herriot.likelihood import Method, Profile

__all__ = ["FayHerriotFit", "Method", "Profile", "fit_fay_herriot"]
