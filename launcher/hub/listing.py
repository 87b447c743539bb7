"""What a hub says of a repository's files before they are fetched: size, and sha256 where it keeps one."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from ..catalogue import File
from ..download import OriginDown, SourceFailed

_HUGGING_FACE = "https://huggingface.co"  # HF_ENDPOINT names a mirror
_MODELSCOPE = "https://www.modelscope.cn"  # MODELSCOPE_DOMAIN names another
_WAIT = 15.0  # seconds for an answer: the next hub is asked soon where this one is out of reach
_LIMIT = 32 << 20  # bytes
_PATHS = {
    "hub": "/api/models/{repo}/tree/main?recursive=true",
    "modelscope": "/api/v1/models/{repo}/repo/files?Revision=master&Recursive=true",
}


def bases(environ: Mapping[str, str]) -> dict[str, str]:
    """Where the hubs are, by kind of source."""
    hub = environ.get("HF_ENDPOINT") or _HUGGING_FACE
    scope = environ.get("MODELSCOPE_DOMAIN") or _MODELSCOPE
    return {
        "hub": hub.rstrip("/"),
        "modelscope": (scope if "://" in scope else f"https://{scope}").rstrip("/"),
    }


@dataclass(frozen=True, slots=True)
class Listing:
    """``files``: path to (size, sha256 or ""); None where the hub answers, but with no list (some mirrors)."""

    repo: str
    files: Mapping[str, tuple[int, str]] | None
    refusal: str = ""  # why the repository may not be read

    @classmethod
    def of(cls, base: str, kind: str, repo: str) -> Listing:
        """Ask once. Raises OriginDown where there is no answer at all."""
        url = base + _PATHS[kind].format(repo=repo)
        request = urllib.request.Request(url, headers={"User-Agent": "tts-launch"})
        try:
            with urllib.request.urlopen(request, timeout=_WAIT) as answer:
                return cls(repo, _parsed(answer.read(_LIMIT)))
        except urllib.error.HTTPError as error:
            with error:
                refused = error.code in (401, 403)
            return cls(repo, {}, f"{url}: HTTP {error.code}") if refused else cls(repo, None)
        except (OSError, http.client.HTTPException) as error:
            raise OriginDown(f"{url}: {getattr(error, 'reason', None) or error}") from error

    def complete(self, file: File, path: str) -> File:
        """``file`` with what is known of ``path`` (as in a URL). Raises SourceFailed where it is not listed."""
        if self.files is None:
            return file
        found = self.files.get(unquote(path))
        if found is None:
            raise SourceFailed(self.refusal or f"{self.repo}: no {unquote(path)}")
        return replace(file, size=found[0], sha256=file.sha256 or found[1])


def _parsed(body: bytes) -> dict[str, tuple[int, str]] | None:
    try:
        data: Any = json.loads(body)
        rows = data if isinstance(data, list) else data["Data"]["Files"]
        named = [(row.get("path") or row.get("Path"), row) for row in rows if _is_file(row)]
        return {str(path): (int(_size(row)), _digest(row)) for path, row in named}
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _is_file(row: dict[str, Any]) -> bool:
    return (row.get("type") or row.get("Type")) in ("file", "blob")


def _size(row: dict[str, Any]) -> Any:
    return row["size"] if "size" in row else row["Size"]


def _digest(row: dict[str, Any]) -> str:
    """Large files only: of the others a hub keeps git's own hash, which is no sha256 of the bytes."""
    digest = str((row.get("lfs") or {}).get("oid") or row.get("Sha256") or "").removeprefix("sha256:")
    return digest if len(digest) == 64 else ""
