"""Writes README.md: which test proves which line of faults.json.

A test names its lines with ``@pytest.mark.fault(12, 13)``; this module reads the markers from the
sources, so that it needs no test to run. ``python -m tests.launcher.faults`` writes the file, and
with ``--check`` only compares (exit 1 where it is out of date).
"""

from __future__ import annotations

import ast
import json
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
TESTS = HERE.parent
LINES = HERE / "faults.json"
README = HERE / "README.md"
HEAD = """# Faults the launcher survives

Each line is a fault, what must be seen when it happens, and the tests that cause it for real and look.
`(slow)` tests run with `bash tests/run.sh --all`. This file is written by `python -m tests.launcher.faults`
from `faults.json` and the markers `@pytest.mark.fault(...)` on the tests; a test compares them.
"""

# Lines that no test proves yet, with the reason; empty when all is done.
PENDING: dict[int, str] = {}


@dataclass(frozen=True, slots=True)
class Test:
    """A test function and the lines that it proves."""

    path: Path
    name: str
    lines: tuple[int, ...]
    slow: bool

    def __str__(self) -> str:
        name = f"`{self.path.relative_to(TESTS).as_posix().removeprefix('launcher/')}::{self.name}`"
        return name + (" (slow)" if self.slow else "")


def lines() -> list[dict[str, str | int]]:
    """All faults, in order: line, area, happens, seen."""
    found: list[dict[str, str | int]] = json.loads(LINES.read_text("utf-8"))
    return found


def collect(folder: Path = TESTS) -> list[Test]:
    """Every marked test below ``folder``, in the order of files and of lines in them."""
    return [test for path in sorted(folder.rglob("test_*.py")) for test in _of_file(path)]


def _of_file(path: Path) -> list[Test]:
    tree = ast.parse(path.read_text("utf-8"))
    shared = [node.value for node in tree.body if isinstance(node, ast.Assign) and _is_pytestmark(node)]
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) or not node.name.startswith("test_"):
            continue
        marks = [mark for item in [*shared, *node.decorator_list] for mark in ast.walk(item)]
        numbers = tuple(sorted({number for mark in marks for number in _numbers(mark, path)}))
        if numbers:
            found.append(Test(path, node.name, numbers, any(_name(mark) == "slow" for mark in marks)))
    return found


def _is_pytestmark(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets)


def _name(node: ast.AST) -> str:
    """``x`` of ``pytest.mark.x``."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
        return node.attr if node.value.attr == "mark" else ""
    return ""


def _numbers(node: ast.AST, path: Path) -> list[int]:
    if not isinstance(node, ast.Call) or _name(node.func) != "fault":
        return []
    numbers = [item.value for item in node.args if isinstance(item, ast.Constant)]
    if not numbers or len(numbers) != len(node.args) or not all(isinstance(item, int) for item in numbers):
        raise ValueError(f"{path}:{node.lineno}: fault(...) takes plain numbers of lines")
    return [item for item in numbers if isinstance(item, int)]


def render(tests: list[Test]) -> str:
    """The whole README."""
    parts, area = [HEAD], ""
    for fault in lines():
        if fault["area"] != area:
            area = str(fault["area"])
            parts.append(
                f"\n## {area}\n\n| line | what happens | what must be seen | proved by |\n|---|---|---|---|"
            )
        number = int(fault["line"])
        proofs = [str(test) for test in tests if number in test.lines]
        cell = "<br>".join(proofs) or f"pending: {PENDING.get(number, 'no test')}"
        parts.append(f"| {number} | {fault['happens']} | {fault['seen']} | {cell} |")
    return "\n".join(parts) + "\n"


def main(argv: list[str]) -> int:
    """See the module."""
    text = render(collect())
    if "--check" in argv:
        return 0 if README.exists() and README.read_text("utf-8") == text else 1
    README.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
