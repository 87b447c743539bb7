"""The import rule of the rooms, as data: who may import whom. Every module is walked."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BASE = {"speech", "errors"}
LIGHT = BASE | {"config", "messages"}
RECORDS = {"auth", "quota", "metrics", "logs", "usage"}
INNER = BASE | {
    *("text", "audio", "voices", "config", "engines", "messages", "links", "policy", "job", "scheduler"),
    *("handle", "host", "ceiling", "outputs", *RECORDS),
}

# room: (rooms of this package it may import, third-party packages it may import; None = any)
MAY: dict[str, tuple[set[str], set[str] | None]] = {
    "__init__": (set(), set()),
    "errors": (set(), {"numpy"}),
    "speech": ({"errors"}, {"numpy"}),
    "text": (BASE, {"jieba", "wetext", "pypinyin", "regex"}),
    "audio": (BASE, {"numpy", "av", "soxr"}),
    "voices": (BASE, {"numpy"}),
    "config": (BASE, set()),
    "messages": (BASE, {"numpy"}),
    "engines": (BASE | {"text", "audio"}, None),
    "worker": (BASE | {"engines", "messages"}, {"numpy"}),
    "links": (BASE | {"messages"}, {"numpy"}),
    "policy": (set(), set()),
    "job": (BASE, {"numpy"}),
    "scheduler": (BASE | {"links", "policy", "job"}, set()),
    "handle": (BASE | {"audio", "job"}, set()),
    "ceiling": (set(), set()),
    "host": (BASE | {"links", "scheduler", "ceiling"}, set()),
    "outputs": (BASE, {"numpy"}),
    "auth": (BASE | {"config"}, {"starlette"}),
    "logs": (BASE | {"config"}, set()),
    "service": (INNER, {"numpy"}),
    "control": (BASE, set()),
    "api": ({"service", "outputs", "auth", "quota", "speech", "errors", "audio", "config"}, None),
    "webui": ({"service", "outputs", "auth", "quota", "speech", "errors", "audio", "config"}, None),
    "drain": (BASE | {"service", "control"}, {"uvicorn"}),
    "app": ({*INNER, "service", "control", "drain", "api", "webui"}, {"uvicorn", "uvloop", "fastapi"}),
    "admin": (set(), {"torch", "onnxruntime"}),
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
