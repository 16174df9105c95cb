"""From one survey about a hidden harm to honest numbers for every municipality."""

__version__ = "0.1.0"
