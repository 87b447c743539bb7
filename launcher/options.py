"""The few settings the launcher needs itself: tts.toml < TTS_* variables < flags; the rest is forwarded."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import BadArguments, NotConfigured
from .instance import Instance
from .state import Record

# Names and defaults are those of index_tts_ui.config; a test compares them.
SHARED: dict[str, Any] = {
    "home": "",
    "name": "default",
    "host": "127.0.0.1",
    "port": 7860,
    "engine": "auto",
    "device": "auto",
}
DRAIN = ("drain_timeout", 30.0)  # read here too: it bounds a stop
LOGS: dict[str, Any] = {
    "log_format": "text",
    "log_max_mb": 10,
    "log_keep": 5,
    "log_days": 7.0,
}  # ours obey them
TLS = ("tls", "")  # decides between http and https in the addresses that are shown
_KNOWN: dict[str, Any] = {**SHARED, DRAIN[0]: DRAIN[1], TLS[0]: TLS[1], **LOGS}
_RANGES: dict[str, tuple[float, float]] = {"port": (1, 65535), "drain_timeout": (0, 3600)}
_RANGES |= {"log_max_mb": (1, 10_000), "log_keep": (1, 100), "log_days": (0.01, 3650)}
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class Settings:
    """What one command works with. ``given`` and ``forwarded`` are the flags as typed, for a restart."""

    instance: Instance
    host: str = "127.0.0.1"
    port: int = 7860
    engine: str = "auto"
    device: str = "auto"
    drain_timeout: float = 30.0
    log_format: str = "text"
    log_max_mb: int = 10
    log_keep: int = 5
    log_days: float = 7.0
    tls: str = ""
    given: dict[str, Any] = field(default_factory=dict)
    forwarded: tuple[str, ...] = ()

    def flags(self) -> list[str]:
        """The server's command line."""
        return self._line({key: getattr(self, key) for key in ("host", "port", "engine", "device")})

    def typed(self) -> list[str]:
        """The flags as typed, with home and name made explicit: for a supervisor that resolves again."""
        return self._line(self.given)

    def _line(self, shared: Mapping[str, Any]) -> list[str]:
        both = {"home": self.instance.home, "name": self.instance.name, **shared}
        return [part for key, value in both.items() for part in (f"--{key}", str(value))] + list(
            self.forwarded
        )


def resolve(
    given: Mapping[str, Any], forwarded: Sequence[str] = (), environ: Mapping[str, str] | None = None
) -> Settings:
    """Merge the sources.

    Raises:
        BadArguments: a flag that makes no sense.
        NotConfigured: tts.toml or a variable that makes no sense.
    """
    environ = os.environ if environ is None else environ
    flags = _with_gpu({key: value for key, value in given.items() if value is not None})
    _check_forwarded(forwarded)
    home = Path(flags.get("home") or environ.get("TTS_HOME") or ".").expanduser().resolve()
    merged = dict(_KNOWN)
    beyond = {
        key: _forwarded_value(forwarded, "--" + key.replace("_", "-")) for key in (DRAIN[0], TLS[0], *LOGS)
    }
    for source, values in (
        (str(home / "tts.toml"), _from_toml(home / "tts.toml")),
        ("environment", {key: environ.get(f"TTS_{key.upper()}") or None for key in merged}),
        ("flag", {**flags, **beyond}),
    ):
        for key in merged:
            if values.get(key) is not None:
                merged[key] = _checked(key, values[key], source)
    kept = {key: value for key, value in flags.items() if key not in ("home", "name")}
    values = {key: value for key, value in merged.items() if key not in ("home", "name")}
    return Settings(Instance(home, merged["name"]), given=kept, forwarded=tuple(forwarded), **values)


def recorded(instance: Instance, record: Record) -> Settings:
    """The flags with which the instance of ``record`` was started."""
    return Settings(instance, given=record.given, forwarded=tuple(record.arguments))


def again(settings: Settings, given: Mapping[str, Any], forwarded: Sequence[str]) -> Settings:
    """The settings of a restart: the previous flags, with the new ones over them (the last of a kind wins)."""
    new = _with_gpu({key: value for key, value in given.items() if value is not None})
    instance = {"home": str(settings.instance.home), "name": settings.instance.name}
    return resolve({**settings.given, **new, **instance}, [*settings.forwarded, *forwarded])


_GPUS = re.compile(r"\d{1,3}(,\d{1,3})*")


def _with_gpu(flags: dict[str, Any]) -> dict[str, Any]:
    """``--gpu 0,1`` is ``--device cuda:0,1``; only one of the two may be given."""
    gpus = flags.pop("gpu", None)
    if gpus is None:
        return flags
    if "device" in flags or not _GPUS.fullmatch(gpus):
        raise _bad("gpu", gpus, "flag")
    return {**flags, "device": f"cuda:{gpus}"}


def _check_forwarded(forwarded: Sequence[str]) -> None:
    if forwarded and not forwarded[0].startswith("--"):
        raise BadArguments("unexpected_argument", argument=forwarded[0])


def _forwarded_value(forwarded: Sequence[str], flag: str) -> str | None:
    value = None
    for index, part in enumerate(forwarded):
        if part == flag and index + 1 < len(forwarded):
            value = forwarded[index + 1]
        elif part.startswith(flag + "="):
            value = part.partition("=")[2]
    return value


_TOML_BYTES = 1 << 20  # of settings that are worth reading


def _from_toml(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    import tomllib

    try:
        if not path.is_file():
            raise NotConfigured(
                "bad_toml", path=path, reason="not a plain file"
            )  # a pipe would be read for ever
        with path.open("rb") as file:
            return tomllib.loads(file.read(_TOML_BYTES).decode("utf-8"))
    except (OSError, ValueError) as error:
        raise NotConfigured("bad_toml", path=path, reason=str(error)) from error


def _checked(key: str, value: Any, source: str) -> Any:
    kind = type(_KNOWN[key])
    try:
        value = kind(value)
    except (TypeError, ValueError):
        raise _bad(key, value, source) from None
    low, high = _RANGES.get(key, (value, value))
    wrong_name = key == "name" and not _NAME.fullmatch(value)
    wrong_format = key == "log_format" and value not in ("text", "json")
    if not low <= value <= high or wrong_name or wrong_format or "\0" in str(value):
        raise _bad(key, value, source)
    return value


def _bad(key: str, value: Any, source: str) -> BadArguments | NotConfigured:
    kind = BadArguments if source == "flag" else NotConfigured
    return kind("bad_setting", name=key, value=value, source=source)
