"""YAML as people save it: in any usual encoding, within limits, nothing named twice."""

from __future__ import annotations

import codecs
import warnings
from pathlib import Path
from typing import Any

import yaml

from smallarea.errors import InputError, InputWarning
from smallarea.limits import require

#: How a file may begin that says its own encoding; the longer ones first.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: What older programs of western languages write; a superset of Latin-1.
LEGACY = "windows-1252"


class _Loader(yaml.SafeLoader):
    """Safe YAML in which naming an entry twice is an error instead of a silent override."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        try:
            again = key in seen
        except TypeError:
            raise yaml.MarkedYAMLError(
                problem="the name of an entry is a list or a mapping",
                problem_mark=key_node.start_mark,
            ) from None
        if again:
            raise yaml.MarkedYAMLError(
                problem=f"'{key}' is declared twice", problem_mark=key_node.start_mark
            )
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_yaml(path: Path) -> Any:
    """Return what a YAML file says, in UTF-8, in UTF-16 or 32 with its mark, else Windows-1252.

    Raises
    ------
    InputError : it is too large, not text or not YAML; the line is named.
    FileNotFoundError : there is none.
    """
    try:
        require("text", path.stat().st_size, path.name)
        text, guessed = decoded(path.read_bytes())
        if guessed:
            warnings.warn(
                f"{path.name} is not UTF-8; it was read as {guessed}. Look whether its letters "
                "came out right, and save it as UTF-8.",
                InputWarning,
                stacklevel=2,
            )
        return yaml.load(text, Loader=_Loader)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _refused(f"it cannot be read: {error.strerror}", path.name) from None
    except UnicodeDecodeError:
        raise _refused("it is not text", path.name, "save it as text in UTF-8") from None
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise _refused(str(error.problem or error.context), f"{path.name}{line}") from None
    except yaml.reader.ReaderError as error:
        said = f"it holds a sign that no text holds (number {error.character})"
        raise _refused(said, path.name, "save it as text in UTF-8") from None
    except RecursionError:
        raise _refused("its entries are nested too deeply", path.name) from None
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise _refused(f"an entry is not what YAML allows ({error})", path.name) from None


def decoded(content: bytes) -> tuple[str, str]:
    """Return text by its mark, else as UTF-8, else as `LEGACY`; and `LEGACY` if that was a guess.

    Raises UnicodeDecodeError where it is none of these.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.decode(encoding), ""
    if b"\0" in content[:4]:  # UTF-16 that lost its mark
        return content.decode("utf-16-be" if content[:1] == b"\0" else "utf-16-le"), ""
    try:
        return content.decode("utf-8"), ""
    except UnicodeDecodeError:
        return content.decode(LEGACY), LEGACY


def _refused(what: str, where: str, remedy: str = "correct the YAML") -> InputError:
    return InputError(what, where=where, remedy=remedy)
