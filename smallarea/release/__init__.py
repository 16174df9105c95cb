"""Tiers: what may leave a run for whom, made of draws that betray nobody, after an audit."""
