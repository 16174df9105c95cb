"""Bayesian scale-up: models, samplers, the weighted likelihood, and whether to believe a fit."""
