"""One file over HTTP: goes on where it stopped, tries again, and knows a web page from a file.

A credential comes from the environment, `SMALLAREA_TOKEN_<SOURCE>` (letters in capitals, all else
`_`), or from the system's keyring. It is sent as a bearer token, over https or to this computer,
and not on to another host.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from smallarea.errors import InputError
from smallarea.files import read_object, write_json

HERE = ("127.0.0.1", "::1", "localhost")
PAGE = re.compile(rb"\s*(<!--.*?-->\s*)*<(!doctype\s+html|html)", re.IGNORECASE | re.DOTALL)
#: Answers after which another try may succeed.
PASSING = (408, 425, 429, 500, 502, 503, 504)
REDIRECTS = 5
BLOCK = 1 << 14


@dataclass(frozen=True)
class Patience:
    """How long to wait: tries, seconds before the second, for a sign of life, and in all."""

    tries: int = 5
    pause: float = 1.0
    silence: float = 30.0
    whole: float = 3600.0


@dataclass(frozen=True)
class Got:
    """What a server gave.

    path : the file; None: it is what it was. etag, modified : by which to ask again.
    """

    path: Path | None
    etag: str | None = None
    modified: str | None = None


class _Passing(Exception):
    """It may go better next time, after so many seconds if the server said so."""

    def __init__(self, said: str, after: float = 0) -> None:
        super().__init__(said)
        self.after = after


def credential(source: str) -> str | None:
    """Return the token that environment or keyring holds for a source, None where there is none.

    The environment comes first. In the keyring (extra `keyring`) it is the password of the user
    named as the source, of the service `smallarea`.

    Raises
    ------
    InputError : it cannot be sent; it is not shown.
    """
    named = "SMALLAREA_TOKEN_" + re.sub(r"[^A-Z0-9]", "_", source.upper())
    token = os.environ.get(named) or _in_keyring(source)
    if token and not re.fullmatch(r"[\x21-\x7e]+", token):
        raise InputError(  # an HTTP library would show it whole in its error
            "the token has a character that cannot be sent (a space, a line's end, an accent)",
            where=f"source {source}, {named} or the keyring",
            remedy="store it again without what stands around it",
        )
    return token


def _in_keyring(source: str) -> str | None:
    try:
        import keyring
    except ImportError:
        return None
    try:
        return keyring.get_password("smallarea", source) or None
    except keyring.errors.KeyringError:  # none here, or one that is locked
        return None


def download(
    url: str,
    part: Path,
    *,
    most: float,
    known: Got | None = None,
    body: bytes | None = None,
    token: str | None = None,
    patience: Patience = Patience(),
    tell: Callable[[float | None], None] = lambda _share: None,
) -> Got:
    """Fetch `url` into `part`, which is whole when this returns.

    Parameters
    ----------
    part : what an earlier call left there is continued, if the server's file is still the same.
    most : bytes.
    known : the `etag` and `modified` of the file at hand: unchanged, nothing is sent again.
    body : JSON to POST in place of a GET; such answers are not continued.
    token : sent as a bearer token.
    tell : told the share that has come.

    Raises
    ------
    InputError : the server refuses, sends a web page, nothing, or more than `most`, or has failed
        every time.
    """
    began, said = time.monotonic(), "it was not tried"
    for number in range(patience.tries):
        if time.monotonic() - began > patience.whole:
            break
        try:
            return _attempt(url, part, most, known, body, token, patience, began, tell)
        except _Passing as error:
            said = str(error)
            if number + 1 < patience.tries:
                time.sleep(max(patience.pause * 2**number, min(error.after, 60.0)))
    raise InputError(
        f"{said}, after {patience.tries} tries",
        where=url,
        remedy="try again later: what has come is kept and continued",
    )


def _attempt(
    url: str,
    part: Path,
    most: float,
    known: Got | None,
    body: bytes | None,
    token: str | None,
    patience: Patience,
    began: float,
    tell: Callable[[float | None], None],
) -> Got:
    import requests

    papers = part.with_name(part.name + ".json")
    have, mark = _begun(part, papers, url) if body is None else (0, "")
    sent = {"Accept-Encoding": "identity", "User-Agent": "smallarea"}
    if have:
        sent |= {"Range": f"bytes={have}-", "If-Range": mark}
    elif known is not None and body is None:
        sent |= {"If-None-Match": known.etag} if known.etag else {}
        sent |= {"If-Modified-Since": known.modified} if known.modified else {}
    if body is not None:
        sent["Content-Type"] = "application/json"
    method = "GET" if body is None else "POST"
    with requests.Session() as session:
        session.max_redirects = REDIRECTS
        session.auth = _signing(url, token)
        try:
            answer = session.request(
                method, url, data=body, headers=sent, stream=True, timeout=(10, patience.silence)
            )
            with answer:
                return _take(answer, url, part, papers, most, have, patience, began, tell)
        except requests.TooManyRedirects:
            raise _refused(url, "it sends from one address to the next", "correct it") from None
        except (requests.ConnectionError, requests.Timeout) as error:
            raise _Passing(_plain(error)) from None
        except requests.exceptions.ChunkedEncodingError:
            raise _Passing("the answer broke off") from None
        except requests.RequestException as error:
            raise _refused(url, f"it cannot be asked ({type(error).__name__})", "correct") from None


def _take(
    answer: Any,
    url: str,
    part: Path,
    papers: Path,
    most: float,
    have: int,
    patience: Patience,
    began: float,
    tell: Callable[[float | None], None],
) -> Got:
    if urlsplit(url).scheme == "https" and urlsplit(answer.url).scheme != "https":
        raise _refused(url, "it sends on to an address that is not https", "ask the publisher")
    if answer.status_code == 304:
        return Got(None)
    if answer.status_code == 416 or (
        answer.status_code == 206
        and not answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
    ):
        part.unlink(missing_ok=True)
        raise _Passing("it cannot go on where it stopped")
    if answer.status_code in PASSING:
        after = answer.headers.get("Retry-After", "")
        raise _Passing(
            f"the server answers {answer.status_code}", float(after) if after.isdigit() else 0
        )
    if answer.status_code not in (200, 206):
        raise _refused(url, f"the server answers {answer.status_code}", "see that the address is "
                       "right, and that you may have the file (SMALLAREA_TOKEN_...)")  # fmt: skip
    start = have if answer.status_code == 206 else 0
    length = answer.headers.get("Content-Length", "")
    packed = answer.headers.get("Content-Encoding", "identity") != "identity"
    total = start + int(length) if length.isdigit() and not packed else None
    if total is not None and total > most:
        raise _too_large(url, most)
    etag, modified = answer.headers.get("ETag"), answer.headers.get("Last-Modified")
    if not start:
        part.unlink(missing_ok=True)
        write_json(papers, {"url": url, "mark": "" if packed else _mark(answer.headers)})
    size = start
    with part.open("ab") as file:
        for block in answer.iter_content(BLOCK):
            if not size and _is_page(block, answer.headers):
                part.unlink(missing_ok=True)
                raise _refused(url, "a web page came in place of the file", "open it in a browser: "
                               "it may ask for a login, or have moved")  # fmt: skip
            size += len(block)
            if size > most:
                part.unlink(missing_ok=True)
                raise _too_large(url, most)
            file.write(block)
            tell(None if not total else size / total)
            if time.monotonic() - began > patience.whole:
                raise _Passing("it is too slow")
    if total is not None and size != total:
        raise _Passing(f"the answer broke off after {size:,} of {total:,} bytes")
    if not size:
        raise _refused(url, "the file is empty", "ask the publisher")
    papers.unlink(missing_ok=True)
    return Got(part, etag, modified)


def _begun(part: Path, papers: Path, url: str) -> tuple[int, str]:
    """Return how many bytes are there of the file that the server still has, and its mark."""
    told = read_object(papers) or {}
    if told.get("url") == url and told.get("mark") and part.is_file():
        return part.stat().st_size, str(told["mark"])
    return 0, ""


def _mark(headers: Mapping[str, str]) -> str:
    """Return what tells one version from another, byte by byte."""
    etag = headers.get("ETag", "")
    return etag if etag and not etag.startswith("W/") else headers.get("Last-Modified", "")


def _is_page(block: bytes, headers: Mapping[str, str]) -> bool:
    said = headers.get("Content-Type", "").split(";")[0].strip().lower()
    return said in ("text/html", "application/xhtml+xml") or bool(PAGE.match(block))


def _signing(url: str, token: str | None) -> Callable[[Any], Any]:
    """Sign a request; without a token do nothing, so that no other file of passwords is read."""
    parts = urlsplit(url)
    if token and parts.scheme != "https" and parts.hostname not in HERE:
        raise _refused(url, "a credential is only sent over https", "give the https address")

    def sign(request: Any) -> Any:
        if token:
            request.headers["Authorization"] = f"Bearer {token}"
        return request

    return sign


def _plain(error: Exception) -> str:
    return "the server is silent" if "timed out" in str(error).lower() else "no connection"


def _too_large(url: str, most: float) -> InputError:
    return _refused(url, f"it has more than {most:,.0f} bytes", "raise `max_bytes` of the source, "
                    "or SMALLAREA_LIMITS=download=NUMBER")  # fmt: skip


def _refused(url: str, said: str, remedy: str) -> InputError:
    return InputError(said, where=url, remedy=remedy)
