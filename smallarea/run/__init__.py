"""Making a run: inputs resolved once, stages remembered by content, the finished record."""
