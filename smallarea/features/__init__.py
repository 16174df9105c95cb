"""Operators a stream file calls, and the feature matrix built from all stream files."""

from smallarea.features import flows, lines, points, tables
from smallarea.features.build import Features, build_features
from smallarea.features.saved import load_features, save_features
from smallarea.features.stream import Stream, load_streams, stream
from smallarea.features.zonal import zonal

__all__ = [
    "Features",
    "Stream",
    "build_features",
    "flows",
    "lines",
    "load_features",
    "load_streams",
    "points",
    "save_features",
    "stream",
    "tables",
    "zonal",
]
