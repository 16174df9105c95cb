"""What the survey itself says, beside the estimates: internal, for the project's own people."""

from smallarea.findings.findings import FILES, Asked, FitChecks, answer_findings, map_findings

__all__ = ["FILES", "Asked", "FitChecks", "answer_findings", "map_findings"]
