"""Storage behind a URL, by fsspec; what it refuses is said in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from smallarea.errors import InputError


@contextmanager
def storage(url: str) -> Iterator[tuple[Any, str]]:
    """Yield the file system behind a URL and the place in it; say in a sentence what it refuses."""
    try:
        import fsspec

        files, base = fsspec.core.url_to_fs(url.rstrip("/"), use_listings_cache=False)
    except (ImportError, ValueError) as error:
        raise InputError(
            f"this storage cannot be reached ({error})",
            where=url,
            remedy="install the extra: pip install 'smallarea[remote]', or another fsspec "
            "file system for it",
        ) from error
    try:
        yield files, base
    except InputError:
        raise
    except Exception as error:
        if not (isinstance(error, OSError) or type(error).__module__.startswith("botocore")):
            raise
        raise InputError(
            f"the storage refuses: {str(error) or type(error).__name__}",
            where=url,
            remedy="see that the address and your rights there are right (AWS_ENDPOINT_URL, "
            "AWS_PROFILE and their like)",
        ) from error


def copy(url: str, part: Path, most: float, etag: str | None) -> tuple[bool, str | None]:
    """Copy one file of a storage to `part`, unless its etag is the one given.

    Returns
    -------
    Whether it was copied, and its etag if the storage has any.

    Raises
    ------
    InputError : it is not there, larger than `most` bytes, or the storage refuses.
    """
    with storage(url) as (files, base):
        if not files.isfile(base):
            raise InputError("no such file is there", where=url, remedy="correct its `url`")
        told = files.info(base)
        now = told.get("ETag") or told.get("etag")
        if now is not None and now == etag:
            return False, now
        if (told.get("size") or 0) > most:
            raise InputError(
                f"it has more than {most:,.0f} bytes",
                where=url,
                remedy="raise `max_bytes` of the source, or SMALLAREA_LIMITS=download=NUMBER",
            )
        files.get_file(base, str(part))
        return True, now
