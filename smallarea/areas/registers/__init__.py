"""Registers: what makes a frame out of a published list of areas."""
