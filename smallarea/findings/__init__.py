"""What the survey itself says, beside the estimates: fit to publish, for planners and reviewers."""

from smallarea.findings.findings import FILES, FitChecks, direct_findings, findings

__all__ = ["FILES", "FitChecks", "direct_findings", "findings"]
