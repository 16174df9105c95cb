"""Frequentist scale-up: degrees, sizes, their design-based variance, and groups of known size."""
