"""``python -m index_tts_ui.admin COMMAND``: what the launcher asks of heavy libraries, in a process of its own.

backup  save what a service keeps; restore puts it back (see ``archive.command``)
cluster settings, deployment and state of a cluster (see ``cluster.command``)
keys    add, list or revoke API keys (see ``auth.command``)
probe   what torch and onnxruntime see of this machine (``--json``: one JSON object on the last line)

The launcher stays light and survives whatever an import does: its doctor runs this with a deadline.
"""

from __future__ import annotations

import argparse
import json
import sys
from importlib import metadata
from typing import Any

from .archive import command as archive_command
from .auth import command as key_command
from .cluster import command as cluster_command


def probe_torch() -> dict[str, Any] | None:
    """Version, CUDA version of the build and devices; None where torch is not installed, else perhaps an error."""
    found = _version("torch")
    if found is None:
        return None
    try:
        import torch

        devices = []
        for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
            major, minor = torch.cuda.get_device_capability(index)
            arch = f"sm_{major}{minor}"
            name = torch.cuda.get_device_name(index)
            devices.append(
                {"name": name, "arch": arch, "supported": _runs_on(major, torch.cuda.get_arch_list())}
            )
        return {"version": found, "cuda": torch.version.cuda, "devices": devices}
    except Exception as error:  # whatever an import of a broken install may raise
        return {"version": found, "error": f"{type(error).__name__}: {error}"[:300]}


def _runs_on(major: int, built_for: list[str]) -> bool:
    """Machine code runs on later GPUs of its generation, intermediate code (compute_) on all later ones."""
    for item in built_for:
        kind, _, number = item.partition("_")
        digits = "".join(char for char in number if char.isdigit())
        generation = int(digits[:-1] or 0) if digits else 0
        if generation == major or (kind == "compute" and generation <= major):
            return True
    return not built_for


def probe_onnxruntime() -> dict[str, Any] | None:
    """Version and execution providers; None where it is not installed."""
    found = _version("onnxruntime") or _version("onnxruntime-gpu")
    if found is None:
        return None
    try:
        import onnxruntime

        return {"version": found, "providers": onnxruntime.get_available_providers()}
    except Exception as error:
        return {"version": found, "error": f"{type(error).__name__}: {error}"[:300]}


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def probe(as_json: bool) -> int:
    """Print what was found."""
    found = {"torch": probe_torch(), "onnxruntime": probe_onnxruntime()}
    if as_json:
        print(json.dumps(found), flush=True)
    else:
        for name, value in found.items():
            print(f"{name}: {value or 'not installed'}")
    return 0


def main(argv: list[str]) -> int:
    """Exit code 0; argparse ends bad usage with 2."""
    parser = argparse.ArgumentParser(prog="python -m index_tts_ui.admin")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("probe", help="what torch and onnxruntime see")
    command.add_argument("--json", action="store_true")
    key_command.arguments(commands.add_parser("keys", help="API keys"))
    archive_command.backup_arguments(commands.add_parser("backup", help="save what a service keeps"))
    archive_command.restore_arguments(commands.add_parser("restore", help="put a backup back"))
    cluster_command.arguments(commands.add_parser("cluster", help="one front, many engine replicas"))
    args = parser.parse_args(argv)
    if args.command == "keys":
        return key_command.run(args)
    if args.command == "cluster":
        return cluster_command.run(args)
    if args.command in ("backup", "restore"):
        return archive_command.run(args)
    return probe(args.json)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
