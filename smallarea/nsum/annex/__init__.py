"""The checks behind a survey's estimates, as tables, figures and a folder that holds them."""
