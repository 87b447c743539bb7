"""One file over HTTP: resumed by range, bounded in time, retried where trying again can help.

Proxies of the environment are honoured (urllib). The caller verifies the bytes.
"""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_BLOCK = 1 << 18
_STALL = 30.0  # seconds without a byte
_TRIES = 4  # in a row without a single new byte
PAUSE = 1.0  # seconds before the first retry, doubled each time
_LONGEST_WAIT = 60.0  # of a server's Retry-After
_FOR_GOOD = frozenset({400, 401, 403, 404, 410, 451})


class SourceFailed(Exception):
    """This source cannot give this file; another may."""


class OriginDown(SourceFailed):
    """The whole host or client does not work: do not ask it for other files either."""


@dataclass
class _Retry(Exception):
    reason: str
    after: float | None = None  # what the server asked for, in seconds


def download(
    url: str,
    target: Path,
    size: int | None,
    on_bytes: Callable[[int], None] = lambda have: None,
    pause: float | None = None,
) -> None:
    """Fetch ``url`` into ``target`` until it has ``size`` bytes; what ``target`` already has is kept.

    ``size``: None where only the server knows it.

    ``pause`` replaces PAUSE.

    Raises:
        SourceFailed: the server says no, or has another file.
        OriginDown: no answer that makes sense after several tries.
        OSError: the disk refuses.
    """
    failures = 0
    while True:
        before = _have(target)
        try:
            _once(url, target, size, on_bytes)
            return
        except _Retry as retry:
            failures = 0 if _have(target) > before else failures + 1
            if failures >= _TRIES:
                raise OriginDown(retry.reason) from retry
            wait = (
                (PAUSE if pause is None else pause) * 2 ** max(0, failures - 1)
                if retry.after is None
                else retry.after
            )
            _wait(min(wait, _LONGEST_WAIT), lambda: on_bytes(_have(target)))


def _wait(seconds: float, tell: Callable[[], None]) -> None:
    """In short naps, between which whoever listens may end it."""
    while seconds > 0:
        tell()
        time.sleep(min(seconds, 0.2))
        seconds -= 0.2


def speed(url: str, most: int, seconds: float) -> float:
    """Bytes per second of the beginning of ``url``: at most ``most`` of it and ``seconds``; 0 where it fails."""
    began, have = time.monotonic(), 0
    headers = {"Accept-Encoding": "identity", "User-Agent": "tts-launch", "Range": f"bytes=0-{most - 1}"}
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, headers=headers), timeout=seconds
        ) as response:
            while have < most and time.monotonic() - began < seconds:
                chunk = response.read1(min(_BLOCK, most - have))
                if not chunk:
                    break
                have += len(chunk)
    except (OSError, http.client.HTTPException):
        return 0.0
    return have / (time.monotonic() - began)


def _have(target: Path) -> int:
    return target.stat().st_size if target.exists() else 0


def _once(url: str, target: Path, size: int | None, on_bytes: Callable[[int], None]) -> None:
    have = _have(target)
    if have == size:
        return
    if size is not None and have > size:
        target.unlink()
        have = 0
    with _open(url, have, target) as response:
        resumed = response.status == 206 and _starts_at(response) == have
        if response.status == 206 and not resumed:
            target.unlink(missing_ok=True)
            raise _Retry("the server sent another range than was asked for")
        have = have if resumed else 0
        if size is None:
            size = _promised(response, have)
        with open(target, "ab" if resumed else "wb") as file:
            while chunk := _read(response):
                have += len(chunk)
                if size is not None and have > size:
                    break
                file.write(chunk)
                on_bytes(have)
    if size is None:
        return  # it says nothing of a length and has ended: the caller judges what came
    if have > size:
        target.unlink()
        raise SourceFailed(f"{url}: the file there is larger than {size} bytes")
    if have < size:
        raise _Retry(f"{url}: the connection ended after {have} of {size} bytes")


def _open(url: str, have: int, target: Path) -> http.client.HTTPResponse:
    headers = {"Accept-Encoding": "identity", "User-Agent": "tts-launch"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=_STALL)
    except urllib.error.HTTPError as error:
        with error:
            reason = f"{url}: HTTP {error.code}"
            if error.code == 416:  # our part is not part of the file there
                target.unlink(missing_ok=True)
                raise _Retry(reason) from error
            if error.code in _FOR_GOOD:
                raise SourceFailed(reason) from error
            raise _Retry(reason, _retry_after(error)) from error
    except (OSError, http.client.HTTPException) as error:
        raise _Retry(f"{url}: {getattr(error, 'reason', None) or error}") from error


def _retry_after(error: urllib.error.HTTPError) -> float | None:
    value = error.headers.get("Retry-After", "") if error.headers else ""
    return float(value) if value.isdigit() else None


def _promised(response: http.client.HTTPResponse, have: int) -> int | None:
    """Bytes of the whole file, as the answer says."""
    length = response.headers.get("Content-Length", "")
    return have + int(length) if length.isdigit() else None


def _starts_at(response: http.client.HTTPResponse) -> int:
    start = (response.headers.get("Content-Range") or "").removeprefix("bytes ").partition("-")[0]
    return int(start) if start.isdigit() else -1


def _read(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read(_BLOCK)
    except http.client.IncompleteRead as error:
        return error.partial
    except (OSError, http.client.HTTPException) as error:
        raise _Retry(f"the connection broke: {error}") from error
