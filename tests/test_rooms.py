"""The import rule of the rooms, as data: who may import whom. Every module is walked."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BASE = {"speech", "errors"}
LIGHT = BASE | {"config", "messages"}
RECORDS = {
    "auth",
    "quota",
    "account",
    "metrics",
    "logs",
    "usage",
    "records",
    "series",
    "troubles",
    "answers",
    "sharing",
    "recall",
    "fingerprint",
}
INNER = BASE | {
    *(
        "text",
        "audio",
        "voices",
        "config",
        "parameters",
        "engines",
        "messages",
        "links",
        "policy",
        "forecast",
        "outlook",
        "suspects",
        "returned",
        "deadlines",
        "pace",
        "room",
        "job",
        "lane",
        "scheduler",
    ),
    *("emotions", "library", "librarian", "sample_voices", "voice_archive", "voice_desk", "door"),
    *(
        "handle",
        "guard",
        "breaker",
        "checks",
        "backend",
        "failover",
        "plan",
        "host",
        "pool",
        "remote",
        "devices",
        "choice",
        "ceiling",
        "steward",
        "text_checks",
        "outputs",
        "history",
        *RECORDS,
    ),
    *("dictionary", "reading_door", "readings"),
}

SURFACE = {
    "service",
    "outputs",
    "auth",
    "quota",
    "history",
    "speech",
    "errors",
    "audio",
    "config",
    "parameters",
    "emotions",
    "markup",
    *("dictionary", "dictionary_files", "reading_door"),
}

# room: (rooms of this package it may import, third-party packages it may import; None = any)
MAY: dict[str, tuple[set[str], set[str] | None]] = {
    "__init__": (set(), set()),
    "sentences": (set(), set()),
    "errors": ({"sentences"}, {"numpy"}),
    "speech": ({"errors"}, {"numpy"}),
    "text": (BASE, {"jieba", "wetext", "pypinyin", "regex"}),
    "audio": (BASE, {"numpy", "av", "soxr"}),
    "parameters": (BASE, set()),
    "emotions": (BASE, set()),
    "library": (BASE | {"audio", "shared_json"}, set()),
    "voices": (BASE | {"library"}, set()),
    "librarian": (BASE | {"library", "voices"}, set()),
    "sample_voices": (BASE | {"library", "librarian", "engines"}, {"numpy"}),
    "markup": (BASE, set()),
    "voice_archive": (BASE | {"library", "librarian"}, set()),
    "voice_desk": (
        BASE | {"audio", "markup", "library", "librarian", "voices", "sample_voices", "voice_archive"},
        set(),
    ),
    "readings": (BASE, set()),
    "reading_door": (BASE | {"engines"}, set()),
    "shared_json": (BASE, set()),
    "dictionary": (BASE | {"reading_door", "readings", "shared_json"}, set()),
    "dictionary_files": (BASE | {"dictionary", "engines", "text"}, {"yaml"}),
    "door": (BASE | {"emotions", "engines", "parameters", "reading_door"}, set()),
    "renamed": (set(), set()),
    "config": (BASE | {"renamed"}, set()),
    "archive": (BASE | {"auth", "config", "dictionary", "library"}, set()),
    "messages": (BASE, {"numpy"}),
    "engines": (BASE | {"text", "audio", "readings", "parameters"}, None),
    "worker": (BASE | {"engines", "messages", "logs"}, {"numpy"}),
    "wire": (BASE | {"messages"}, {"numpy"}),
    "links": (BASE | {"messages", "wire"}, {"numpy"}),
    "policy": (set(), set()),
    "pace": (set(), set()),
    "forecast": ({"policy"}, set()),
    "outlook": ({"forecast", "job", "lane", "pace", "policy"}, set()),
    "room": (BASE | {"config", "pace"}, set()),
    "job": (BASE, {"numpy"}),
    "lane": (BASE | {"links", "job"}, set()),
    "guard": (BASE | {"job"}, set()),
    "breaker": (set(), set()),
    "checks": (BASE, set()),
    "backend": (
        BASE
        | {"markup", "breaker", "checks", "engines", "guard", "host", "job", "pool", "scheduler"}
        | {"readings", "text"},
        set(),
    ),
    "failover": (BASE | {"backend", "job", "library", "sample_voices"}, set()),
    "scheduler": (
        BASE
        | {"guard", "links", "policy", "job", "lane", "outlook", "pace", "room", "suspects"}
        | {"returned", "deadlines"},
        set(),
    ),
    "suspects": ({"job", "lane"}, set()),
    "returned": ({"job", "lane", "links"}, set()),
    "deadlines": (BASE | {"job", "lane", "returned", "room"}, set()),
    "handle": (BASE | {"account", "audio", "backend", "job", "host"}, {"numpy"}),
    "ceiling": (set(), set()),
    "plan": (BASE | {"links"}, set()),
    "host": (BASE | {"links", "lane", "ceiling", "plan"}, set()),
    "remote": (
        BASE | {"audio", "config", "engines", "links", "plan", "shared_json"},
        {"httpx", "numpy"},
    ),
    "pool": (BASE | {"host", "scheduler"}, set()),
    "devices": (BASE, set()),
    "choice": (BASE | {"config", "devices", "engines"}, set()),
    "outputs": (BASE | {"audio"}, {"numpy"}),
    "database": (set(), set()),
    "history": (BASE | {"database", "outputs"}, set()),
    "auth": (BASE | {"config", "quota"}, {"starlette", "jwt"}),
    "quota": (BASE, {"limits"}),
    "connections": (set(), {"uvicorn"}),
    "tls": (BASE, {"cryptography", "psutil"}),
    "logs": (BASE | {"config"}, set()),
    "account": (BASE, set()),
    "usage": (BASE | {"account"}, set()),
    "metrics": (BASE | {"account", "handle"}, {"prometheus_client"}),
    "records": (
        BASE
        | {"account", "config", "handle", "job", "logs", "metrics", "scheduler", "usage"}
        | {"series", "troubles"},
        set(),
    ),
    "series": ({"handle", "metrics"}, set()),
    "troubles": (BASE, set()),
    "steward": (BASE | {"failover", "job"}, set()),
    "text_checks": (BASE | {"config"}, set()),
    "answers": (BASE, {"numpy"}),
    "fingerprint": (BASE, set()),
    "recall": (
        BASE | {"answers", "config", "fingerprint", "handle", "job", "sharing"},
        set(),
    ),
    "sharing": (BASE | {"account", "answers", "handle", "job"}, set()),
    "service": (INNER, {"numpy"}),
    "jobs": (BASE | {"config", "database", "markup", "service", "audio", "text"}, {"numpy"}),
    "control": (BASE, set()),
    "api": ({"jobs", "logs"} | SURFACE, None),
    "webui": (SURFACE, None),
    "wyoming": (BASE | {"audio", "auth", "config", "service", "text"}, {"numpy"}),
    "drain": (BASE | {"service", "control"}, {"uvicorn"}),
    "crew": (BASE | {"config", "devices", "engines", "plan"}, set()),
    "cluster": ({*INNER, "wire", "plan", "crew"}, {"numpy", "ray", "yaml"}),
    "app": (
        {
            *INNER,
            "cluster",
            "crew",
            "tls",
            "connections",
            "service",
            "control",
            "drain",
            "jobs",
            "api",
            "webui",
            "wyoming",
        },
        {"uvicorn", "uvloop", "fastapi"},
    ),
    "admin": ({"archive", "auth", "cluster"}, {"torch", "onnxruntime"}),
    "__main__": ({"app", "config", "errors"}, set()),
}
LAUNCHER_MAY = {"click", "psutil"}
NEVER_IN_A_FRONTEND = {"torch", "onnxruntime"}
NEVER_IN_AN_ENGINE = {"fastapi", "starlette", "uvicorn", "gradio", "httpx"}


def _imports(path: Path, package: tuple[str, ...]) -> set[str]:
    """Absolute dotted names that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            found |= {f"{stem}.{alias.name}" for alias in node.names}
    return found


def _modules(root: str) -> list[Path]:
    return sorted((ROOT / root).rglob("*.py"))


def _room(path: Path) -> str:
    part = path.relative_to(ROOT / "index_tts_ui").parts[0]
    return part.removesuffix(".py")


@pytest.mark.parametrize("path", _modules("index_tts_ui"), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_what_its_room_may(path: Path) -> None:
    room = _room(path)
    assert room in MAY, f"{room} is a new room: say in MAY what it may import"
    inside, outside = MAY[room]
    for name in _imports(path, path.relative_to(ROOT).with_suffix("").parts[:-1]):
        first, *rest = name.split(".")
        if first == "index_tts_ui":
            target = rest[0] if rest else "__init__"
            own = target == room or target == "__version__"
            assert own or target in inside, f"{room} may not import {target}"
        elif first not in sys.stdlib_module_names:
            assert outside is None or first in outside, f"{room} may not import {first}"
            assert room != "engines" or first not in NEVER_IN_AN_ENGINE
            if "frontend" in path.name:
                assert first not in NEVER_IN_A_FRONTEND


@pytest.mark.parametrize("path", _modules("launcher"), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_launcher_knows_nothing_of_the_application(path: Path) -> None:
    for name in _imports(path, path.relative_to(ROOT).with_suffix("").parts[:-1]):
        first = name.split(".")[0]
        assert first in sys.stdlib_module_names or first in LAUNCHER_MAY | {"launcher"}, name
        assert first != "asyncio"


def test_there_are_rooms_to_walk() -> None:
    assert len(_modules("index_tts_ui")) > 20 and len(_modules("launcher")) > 5
