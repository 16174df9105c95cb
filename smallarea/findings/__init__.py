"""What the survey itself says, beside the estimates: internal, for the project's own people."""

from smallarea.findings.findings import FILES, FitChecks, direct_findings, findings

__all__ = ["FILES", "FitChecks", "direct_findings", "findings"]
