"""The frame: areas, codes, names, populations, polygons, neighbours, sampling units."""

from smallarea.areas.build import build_frame, frame_files, frame_inputs
from smallarea.areas.frame import Frame, load_frame, load_table, save_frame

__all__ = [
    "Frame",
    "build_frame",
    "frame_files",
    "frame_inputs",
    "load_frame",
    "load_table",
    "save_frame",
]
