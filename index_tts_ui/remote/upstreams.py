"""Upstream: one speech server elsewhere, as the setting ``upstreams`` names it: addresses, or a TOML file."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..config import Config
from ..errors import BadConfig

KEY_VARIABLE = "TTS_UPSTREAM_KEY"  # the key of those that name none of their own
KINDS = ("auto", "index-tts-ui", "vllm-omni", "openai")
FORMATS = ("wav", "pcm")
PARTS = ("speed", "blend", "clone", "emotion", "emotion_text", "seed", "pronunciation", "transcript")
CONCURRENCY = 8
_NAME = re.compile(r"[A-Za-z0-9._:\[\]-]{1,64}")
_FIELDS: Mapping[str, type | tuple[type, ...]] = {
    "url": str,
    "name": str,
    "kind": str,
    "model": str,
    "key_env": str,
    "key_file": str,
    "concurrency": int,
    "timeout": (int, float),
    "format": str,
    "pcm_rate": int,
    "ca": str,
    "voices": list,
    "languages": list,
    "features": list,
    "parameters": list,
}


@dataclass(frozen=True)
class Upstream:
    """``url`` has no path of the API; ``timeout`` is in seconds for a segment, 0 as the setting of that name.

    Of ``voices``, ``languages`` and ``features``, what is empty is asked of the server.
    """

    name: str
    url: str
    key: str = field(default="", repr=False)
    kind: str = "auto"
    model: str = ""
    concurrency: int = CONCURRENCY
    timeout: float = 0.0
    format: str = "wav"
    pcm_rate: int = 24_000  # Hz, of pcm, which does not say it
    ca: str = ""  # a file of certificates to trust instead of the system's
    voices: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    features: tuple[str, ...] | None = None
    parameters: tuple[str, ...] = ()

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine."""
        host = urlsplit(self.url).hostname or ""
        return host in ("localhost", "::1") or host.startswith("127.")


def read(config: Config, environ: Mapping[str, str] | None = None) -> tuple[Upstream, ...]:
    """What the setting names; nothing where it is empty. Raises BadConfig."""
    environ = os.environ if environ is None else environ
    tables: list[Mapping[str, Any]] = []
    for item in config.listed("upstreams"):
        if item.endswith(".toml"):
            tables += _tables(config.home_dir / Path(item).expanduser())
        else:
            tables.append({"url": item})
    found = tuple(_upstream(table, config.home_dir, environ) for table in tables)
    names = [one.name for one in found]
    for name in names:
        if names.count(name) > 1:
            raise _wrong(f"there are two of the name '{name}': give each a name of its own")
    return found


def _tables(path: Path) -> list[Mapping[str, Any]]:
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _wrong(f"{path} cannot be read: {error}") from error
    tables = data.get("upstream")
    if set(data) != {"upstream"} or not isinstance(tables, list):
        raise _wrong(f"{path} must have [[upstream]] tables, and nothing else")
    return tables


def _upstream(table: Mapping[str, Any], home: Path, environ: Mapping[str, str]) -> Upstream:
    url, server = _address(str(table.get("url", "")))
    name = str(table.get("name", server))
    if not _NAME.fullmatch(name):
        raise _wrong(f"'{name[:64]}' is no name: 1 to 64 of A-Z a-z 0-9 . _ : -")
    for key, value in table.items():
        _check_field(name, key, value)
    given = {key: value for key, value in table.items() if key not in ("url", "name", "key_env", "key_file")}
    for key, value in given.items():
        given[key] = tuple(map(str, value)) if isinstance(value, list) else value
    if "ca" in given:
        given["ca"] = str(home / Path(given["ca"]).expanduser())
        if not Path(given["ca"]).is_file():
            raise _wrong(f"{name}: there is no file {given['ca']}")
    found = Upstream(name, url, _key(name, table, home, environ), **given)
    _check(found)
    return found


def _address(url: str) -> tuple[str, str]:
    """Without a slash or /v1 at its end; and host and port, to call it by."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _wrong(f"'{_public(url)}' is no address: {error}") from error
    if parts.scheme not in ("http", "https") or not host:
        raise _wrong(f"'{_public(url)}' is no address: write http://HOST:PORT or https://HOST")
    if "@" in parts.netloc:
        raise _wrong(
            f"the address of {host} has a user or key in it: use {KEY_VARIABLE}, key_env or key_file"
        )
    if parts.query or parts.fragment:
        raise _wrong(f"the address of {host} must end before any '?' or '#'")
    path = parts.path.rstrip("/").removesuffix("/v1")
    return f"{parts.scheme}://{parts.netloc}{path}", f"{host}:{port}" if port else host


def _public(url: str) -> str:
    """An address as messages may show it."""
    return re.sub(r"//[^/@]*@", "//", url)[:100]


def _check_field(name: str, key: str, value: Any) -> None:
    if key not in _FIELDS:
        more = " (no key is written there: use key_env or key_file)" if key == "key" else ""
        raise _wrong(f"{name}: '{key}' is not one of {', '.join(_FIELDS)}{more}")
    kind = _FIELDS[key]
    good = isinstance(value, kind) and not isinstance(value, bool)
    if not good or (isinstance(value, list) and not all(isinstance(item, str) for item in value)):
        wanted = {"str": "a string", "int": "a whole number", "list": "a list of strings"}
        raise _wrong(f"{name}: {key} must be {wanted.get(getattr(kind, '__name__', ''), 'a number')}")


def _check(one: Upstream) -> None:
    if one.kind not in KINDS:
        raise _wrong(f"{one.name}: kind '{one.kind}' is not one of {', '.join(KINDS)}")
    if one.format not in FORMATS:
        raise _wrong(f"{one.name}: format '{one.format}' is not one of {', '.join(FORMATS)}")
    for feature in one.features or ():
        if feature not in PARTS:
            raise _wrong(f"{one.name}: feature '{feature}' is not one of {', '.join(PARTS)}")
    for field_name, low, high in (
        ("concurrency", 1, 1024),
        ("timeout", 0, 3600),
        ("pcm_rate", 4000, 192_000),
    ):
        if not low <= getattr(one, field_name) <= high:
            raise _wrong(f"{one.name}: {field_name} must be from {low} to {high}")


def _key(name: str, table: Mapping[str, Any], home: Path, environ: Mapping[str, str]) -> str:
    if "key_file" in table:
        path = home / Path(str(table["key_file"])).expanduser()
        try:
            key = path.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise _wrong(f"{name}: the key cannot be read from {path}: {error}") from error
    elif "key_env" in table:
        key = environ.get(str(table["key_env"]), "").strip()
        if not key:
            raise _wrong(f"{name}: the variable {table['key_env']} is not set")
    else:
        key = environ.get(KEY_VARIABLE, "").strip()
    if not key.isascii() or not key.isprintable():
        raise _wrong(f"{name}: the key has characters that no key has")
    return key


def _wrong(reason: str) -> BadConfig:
    return BadConfig("bad_config", name="upstreams", reason=reason)
