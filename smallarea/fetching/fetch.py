"""One source's file, from wherever its entry says, held to the size and hash it states."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from smallarea.catalog import Source
from smallarea.errors import InputError
from smallarea.fetching.pxweb import request_of, table_of
from smallarea.fetching.state import FOLDER, State
from smallarea.fetching.storage import copy
from smallarea.fetching.web import Got, Patience, credential, download
from smallarea.files import digest_of, private_folder, sha256, storing
from smallarea.limits import most


def bring(
    source: Source,
    state: State,
    store: Path,
    *,
    patience: Patience = Patience(),  # noqa: B008 (frozen)
    tell: Callable[[float | None], None] = lambda _share: None,
) -> Got:
    """Bring a source's file; its `path` is None where the one that came before is still right.

    state : of the last try; only what the same address gave is compared.

    Raises
    ------
    InputError : it cannot be had, see `smallarea.fetching.web.download`; it is larger than it may
        be; or its hash is not the declared one.
    """
    assert source.url is not None
    url, limit = source.url, min(source.max_bytes or most("download"), most("download"))
    same = state if state.url == url else State()
    part = store / FOLDER / f"{source.name}-{digest_of([url, source.query])[:12]}.part"
    private_folder(part.parent)
    scheme = urlsplit(url).scheme
    with storing(part):
        if scheme == "file":
            got = _local(url, part, limit)
        elif scheme in ("http", "https"):
            asked = request_of(source.query) if source.query else None
            known = Got(None, same.etag, same.modified) if same.sha256 else None
            got = download(
                url, part, most=limit, known=known, body=asked, token=credential(source.name),
                patience=patience, tell=tell,
            )  # fmt: skip
            if asked is not None and got.path is not None:
                part.write_bytes(table_of(part.read_bytes(), url))
        else:
            copied, etag = copy(url, part, limit, same.etag if same.sha256 else None)
            got = Got(part if copied else None, etag)
    if got.path is not None and source.sha256 and (found := sha256(part)) != source.sha256:
        part.unlink()
        raise InputError(
            f"the file's hash is {found[:12]}..., and {source.sha256[:12]}... is declared",
            where=url,
            remedy="ask the publisher which is right, and correct `sha256`",
        )
    return got


def _local(url: str, part: Path, limit: float) -> Got:
    parts = urlsplit(url)
    path = Path(unquote(parts.path))
    if parts.netloc not in ("", "localhost") or not path.is_file():
        raise InputError("no such file", where=url, remedy="correct its `url`")
    if path.stat().st_size > limit:
        raise InputError(
            f"it has more than {limit:,.0f} bytes", where=url, remedy="raise `max_bytes`"
        )
    shutil.copyfile(path, part)
    return Got(part)
