"""What the survey itself says, beside the estimates: fit to publish, for planners and reviewers."""

from smallarea.findings.findings import FILES, FitChecks, findings
from smallarea.findings.groups import figure

__all__ = ["FILES", "FitChecks", "figure", "findings"]
