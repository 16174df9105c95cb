"""Operators a stream file calls, and the feature matrix built from all stream files."""

from smallarea.features.build import Features, build_features
from smallarea.features.stream import Stream, load_streams, stream

__all__ = ["Features", "Stream", "build_features", "load_streams", "stream"]
