"""``python -m supply COMMAND``: see the package."""

from __future__ import annotations

import argparse
import json
import sys

from . import audit, hashes, sbom
from .closure import PYTHONS, closure, served_extras
from .licences import Licence, licences

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def found() -> list[Licence]:
    """Of the base set, then of what only the extras bring, as they are installed here."""
    base = closure(pythons=(HERE,))
    every = closure(served_extras(), pythons=(HERE,))
    extra = frozenset(pin.name for pin in every) - {pin.name for pin in base}
    return licences(every, extra)


def main(argv: list[str]) -> int:
    """Exit code 0: all is well; 1: something is wrong; 3: it could not be told."""
    parser = argparse.ArgumentParser(prog="python -m supply")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("hashes", help="write requirements-hashes.txt anew, by asking pip's index")
    command.add_argument("--check", action="store_true", help="only say whether it fits; asks no index")
    commands.add_parser("licences", help="the licence of every package, and whether it will do")
    commands.add_parser("sbom", help="print a CycloneDX bill of materials")
    commands.add_parser("audit", help="ask pip-audit for known faults of the base set")
    given = parser.parse_args(argv)
    return {"hashes": _hashes, "licences": _licences, "sbom": _sbom, "audit": _audit}[given.command](given)


def _hashes(given: argparse.Namespace) -> int:
    if not given.check:
        try:
            print(f"{hashes.FILE.name}: {hashes.write()} files")
        except hashes.NotFound as error:
            print(error, file=sys.stderr)
            return 1
    lines = hashes.problems()
    print("\n".join(lines) or f"{hashes.FILE.name} fits constraints.txt for Python {', '.join(PYTHONS)}")
    return 1 if lines else 0


def _licences(given: argparse.Namespace) -> int:
    everything = found()
    for item in everything:
        print(
            f"{item.pin.name:<32} {item.pin.version:<14} {item.expression:<44} {item.verdict or item.note}".rstrip()
        )
    wrong = [item for item in everything if item.verdict]
    print(f"{len(everything)} packages, {len(wrong)} that will not do", file=sys.stderr)
    return 1 if wrong else 0


def _sbom(given: argparse.Namespace) -> int:
    print(json.dumps(sbom.bill(found()), ensure_ascii=False, indent=1))
    return 0


def _audit(given: argparse.Namespace) -> int:
    done = audit.audit(closure())
    print("\n".join(done.lines()))
    return done.code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
