"""Licences: of every package that the project pulls in, as it says itself, in SPDX's names; and which will do.

This project is Apache-2.0 and ships none of them: they are fetched by whoever installs it. What matters is that
nobody who installs and runs it takes on terms that they were not told of.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from .closure import Pin

# Permissive, or copyleft of the file or library alone: nothing follows for who installs and runs them.
ALLOWED = frozenset(
    {
        *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "CNRI-Python", "ISC"),
        *("LGPL-2.1-or-later", "MIT", "MIT-0", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Zlib", "Unlicense"),
        "LicenseRef-Public-Domain",
        "Apache-2.0 WITH LLVM-exception",
    }
)
# Terms of their own: the packages of one optional extra, with what its user is told where. Nothing in the base set.
TOLD = {
    "LicenseRef-NVIDIA-Proprietary": "extra indextts: NVIDIA's CUDA libraries, which PyTorch pulls in",
    "GPL-3.0-or-later": "extra piper: who passes it on, passes on the source, too; nothing else depends on it",
    "LicenseRef-Bilibili-IndexTTS": "extra indextts: the model licence, which 'models fetch' asks consent to",
}
# How licences are called where no SPDX expression is given.
NAMES = {
    "apache": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache 2.0 license": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "apache2": "Apache-2.0",
    "3-clause bsd license": "BSD-3-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "bsd": "BSD-3-Clause",
    "bsd license": "BSD-3-Clause",
    "bsd-3-clause and public-domain": "BSD-3-Clause AND LicenseRef-Public-Domain",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "nvidia proprietary software": "LicenseRef-NVIDIA-Proprietary",
    "other/proprietary license": "LicenseRef-NVIDIA-Proprietary",
    "public domain": "LicenseRef-Public-Domain",
    "python software foundation license": "PSF-2.0",
}
# Packages whose metadata say nothing, and where it was read instead.
READ = {
    "cuda-toolkit": "LicenseRef-NVIDIA-Proprietary",  # names other packages only; the toolkit's own agreement
    "nvidia-nvtx": "Apache-2.0",  # its LICENSE file; the classifier is the other CUDA packages'
}
_TOKEN = re.compile(r"\(|\)|[^\s()]+")


@dataclass(frozen=True, slots=True)
class Licence:
    """``verdict``: "" where it will do, else why not; ``note``: what a user is told, where there is something."""

    pin: Pin
    expression: str
    verdict: str = ""
    note: str = ""


def licences(pins: Iterable[Pin], extra: frozenset[str] = frozenset()) -> list[Licence]:
    """Of the packages that are installed here. ``extra``: names that only an optional extra brings."""
    return [_judged(pin, expression_of(pin.name), pin.name in extra) for pin in pins if _is_here(pin.name)]


def _is_here(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def expression_of(name: str) -> str:
    """SPDX; "" where it cannot be told."""
    if name in READ:
        return READ[name]
    about = metadata.metadata(name)
    if said := _first(about.get_all("License-Expression")):
        return said
    classified = [
        line.rpartition(" :: ")[2] for line in about.get_all("Classifier") or [] if "License ::" in line
    ]
    lines = _first(about.get_all("License")).strip().splitlines()
    for said in (*lines[:1], *classified):
        if found := NAMES.get(said.lower()) or (said if _is_known(said) else ""):
            return found
    return ""


def _first(values: list[Any] | None) -> str:
    return str(values[0]) if values else ""


def _is_known(said: str) -> bool:
    return said in ALLOWED or said in TOLD or all(part in ALLOWED for part in re.split(r" AND | OR ", said))


def _judged(pin: Pin, expression: str, is_extra: bool) -> Licence:
    if not expression:
        return Licence(pin, "?", "its licence cannot be told from its metadata: read it, and add it to READ")
    if holds(expression, dict.fromkeys(ALLOWED, True)):
        return Licence(pin, expression)
    if is_extra and holds(expression, dict.fromkeys((*ALLOWED, *TOLD), True)):
        return Licence(pin, expression, note=next(TOLD[name] for name in TOLD if name in expression))
    return Licence(pin, expression, "is none of ALLOWED: read it, and decide")


def holds(expression: str, known: Mapping[str, bool]) -> bool:
    """Whether one may have it under ``known`` licences alone: AND needs both, OR one of the two.

    Raises ValueError for what is no expression.
    """
    tokens = _joined(_TOKEN.findall(expression))
    value = _either(tokens, known)
    if tokens:
        raise ValueError(f"'{expression}' is no SPDX expression")
    return value


def _joined(tokens: list[str]) -> list[str]:
    """``A WITH B`` is one name."""
    found: list[str] = []
    rest: Iterator[str] = iter(tokens)
    for token in rest:
        if token == "WITH" and found:
            found[-1] = f"{found[-1]} WITH {next(rest, '')}"
        else:
            found.append(token)
    return found


def _either(tokens: list[str], known: Mapping[str, bool]) -> bool:
    value = _both(tokens, known)
    while tokens and tokens[0] == "OR":
        del tokens[0]
        value = _both(tokens, known) or value
    return value


def _both(tokens: list[str], known: Mapping[str, bool]) -> bool:
    value = _one(tokens, known)
    while tokens and tokens[0] == "AND":
        del tokens[0]
        value = _one(tokens, known) and value
    return value


def _one(tokens: list[str], known: Mapping[str, bool]) -> bool:
    if not tokens or tokens[0] in ("AND", "OR", ")"):
        raise ValueError("an SPDX expression ends too early")
    name = tokens.pop(0)
    if name != "(":
        return known.get(name, False)
    value = _either(tokens, known)
    if not tokens or tokens.pop(0) != ")":
        raise ValueError("an SPDX expression lacks ')'")
    return value
