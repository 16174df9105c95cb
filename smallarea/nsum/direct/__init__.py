"""Direct estimates per area: from its own respondents, or brought from elsewhere."""
