"""Guarded readers of files as people make them; they know nothing of areas, sources or surveys."""
