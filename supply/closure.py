"""Closure: the packages that the project pulls in, at the versions of ``constraints.txt``."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints.txt"
PYTHONS = ("3.11", "3.12", "3.13")
MACHINES = ("x86_64", "aarch64")


@dataclass(frozen=True, slots=True)
class Pin:
    """One line of ``constraints.txt``; ``marker`` says where it is needed, "" is everywhere."""

    name: str
    version: str
    marker: str = ""

    @property
    def line(self) -> str:
        """As pip reads it."""
        return f"{self.name}=={self.version}" + (f" ; {self.marker}" if self.marker else "")

    def fits(self, python: str, machine: str) -> bool:
        """Whether it is needed there."""
        return not self.marker or Marker(self.marker).evaluate(_environment(python, machine, ""))


def pins(path: Path = CONSTRAINTS) -> dict[str, Pin]:
    """By canonical name."""
    found: dict[str, Pin] = {}
    for line in path.read_text("utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            wanted = Requirement(line.split(" #")[0])
            (exact,) = wanted.specifier
            marker = str(wanted.marker) if wanted.marker else ""
            found[canonicalize_name(wanted.name)] = Pin(wanted.name, exact.version, marker)
    return found


def wanted(extras: Iterable[str] = ()) -> list[Requirement]:
    """What ``pyproject.toml`` asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = [*project["dependencies"]]
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    return [Requirement(line) for line in lines]


def served_extras() -> list[str]:
    """All but what only tests need."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return sorted(set(project["optional-dependencies"]) - {"test"})


def closure(extras: Iterable[str] = (), pythons: Sequence[str] = PYTHONS) -> list[Pin]:
    """The pinned packages, by name, that the base set and ``extras`` need on Linux with any of ``pythons``.

    What each needs is read from the packages that are installed here. Raises KeyError for one without a pin.
    """
    known, found = pins(), set()
    left = [(str(canonicalize_name(item.name)), frozenset(item.extras)) for item in wanted(extras)]
    seen = set()
    while left:
        item = left.pop()
        if item in seen:
            continue
        seen.add(item)
        if item[0] not in known:
            raise KeyError(f"{item[0]} has no line in constraints.txt")
        found.add(item[0])
        left += _needs(*item, pythons)
    return [known[name] for name in sorted(found)]


def _needs(name: str, extras: frozenset[str], pythons: Sequence[str]) -> Iterator[tuple[str, frozenset[str]]]:
    try:
        lines = metadata.requires(name) or []
    except metadata.PackageNotFoundError:  # of another Python than this one: it is a leaf
        return
    for need in map(Requirement, lines):
        if need.marker is None or _somewhere(need.marker, extras, pythons):
            yield canonicalize_name(need.name), frozenset(need.extras)


def _somewhere(marker: Marker, extras: frozenset[str], pythons: Sequence[str]) -> bool:
    return any(
        marker.evaluate(_environment(python, machine, extra))
        for python in pythons
        for machine in MACHINES
        for extra in ("", *extras)
    )


def _environment(python: str, machine: str, extra: str) -> dict[str, str]:
    """CPython on Linux."""
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{python}.0",
        "os_name": "posix",
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "platform_release": "6.1",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "linux",
        "extra": extra,
    }
