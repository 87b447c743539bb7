"""What the service takes: to install, to be ready, to be heard first, in memory; also inside 4 GB.

    python -m benchmarks.footprint [--no-install]

Installing uses a fresh environment in a temporary folder and the package index that pip is set to.
The limit is a memory cgroup (v1 or v2) around server and worker together, or, where none can
be made, an address-space limit on each process; the table says which.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import lab

LIMIT = 4 << 30
SHORT = {"zh": ("今天天气很好。", "zf_xiaobei"), "en": ("Nice to meet you.", "af_heart")}
LONG = "今天天气很好，我们去公园走走吧。" * 20


def install() -> dict[str, Any]:
    """Seconds and MiB of ``pip install`` into an empty environment."""
    with tempfile.TemporaryDirectory() as folder:
        venv = Path(folder, "venv")
        began = time.monotonic()
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        command = [venv / "bin" / "python", "-m", "pip", "install", "-q", "--no-cache-dir"]
        subprocess.run(
            [*command, "-c", lab.ROOT / "constraints.txt", lab.ROOT], check=True, capture_output=True
        )
        seconds = time.monotonic() - began
        return {"install_seconds": round(seconds, 1), "install_mib": _folder_mib(venv)}


def _folder_mib(folder: Path) -> int:
    return round(sum(path.lstat().st_blocks * 512 for path in folder.rglob("*")) / 2**20)


@contextlib.contextmanager
def memory_limit(size: int) -> Iterator[tuple[list[str], str, Path | None]]:
    """A command prefix that bounds what it runs, the limit's name, and the cgroup (None: no cgroup)."""
    for root, limit in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")):
        group = Path(root, f"tts-footprint-{os.getpid()}")
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            if (group / limit).exists():
                (group / limit).write_text(str(size))
                join = 'echo $$ > "$0"; exec "$@"'
                yield ["sh", "-c", join, str(group / "cgroup.procs")], "memory cgroup", group
                return
        finally:
            time.sleep(0.5)  # the last process must have left the group
            group.rmdir()
    yield ["prlimit", f"--as={size}"], "address space of each process", None


def _peak_mib(group: Path | None) -> int | None:
    for name in ("memory.max_usage_in_bytes", "memory.peak"):
        if group is not None and (group / name).exists():
            return round(int((group / name).read_text()) / 2**20)
    return None


async def _short(port: int) -> dict[str, float]:
    """Seconds to the first byte and to the last of a short sentence, in each language."""
    found = {}
    async with lab.Client.connect(port) as client:
        for language, (text, voice) in SHORT.items():
            replies = [await client.speak(text, voice) for _ in range(5)]
            found[f"{language}_short_first_s"] = round(lab.median([reply.first for reply in replies]), 2)
            found[f"{language}_short_worst_s"] = round(max(reply.total for reply in replies), 2)
    return found


async def _speaking(server: lab.Server) -> dict[str, float]:
    """First sound of a long text, and the memory while four of them are spoken."""

    async def one() -> lab.Reply:
        async with lab.Client.connect(server.port) as client:
            return await client.speak(LONG, "zf_xiaobei")

    alone = asyncio.create_task(one())
    peak = 0.0
    reply = await alone
    four = [asyncio.create_task(one()) for _ in range(4)]
    while not all(task.done() for task in four):
        peak = max(peak, server.memory_mb())
        await asyncio.sleep(0.5)
    return {"long_first_s": round(reply.first, 2), "memory_speaking_mib": round(peak)}


def running(limited: bool) -> dict[str, Any]:
    """The service on two cores, free or inside the limit."""
    cores = ",".join(str(core) for core in sorted(os.sched_getaffinity(0))[:2])
    with contextlib.ExitStack() as stack:
        prefix, name, group = stack.enter_context(memory_limit(LIMIT)) if limited else ([], "none", None)
        flags = ["--engine", "kokoro", "--timeout", "60"]
        with lab.server(*flags, prefix=[*prefix, "taskset", "-c", cores]) as server:
            found: dict[str, Any] = {"limit": name, "ready_s": round(server.ready_seconds, 1)}
            found["memory_idle_mib"] = round(server.memory_mb())
            found |= asyncio.run(_short(server.port)) | asyncio.run(_speaking(server))
            peak = _peak_mib(group)
            return found if peak is None else {**found, "cgroup_peak_mib": peak}


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--no-install", action="store_true", help="skip the fresh installation")
    args = parser.parse_args()
    found = {} if args.no_install else install()
    free, limited = running(False), running(True)
    rows = [(key, free.get(key, ""), limited.get(key, "")) for key in {**free, **limited}]
    if found:
        print(f"\ninstallation: {found['install_seconds']} s, {found['install_mib']} MiB")
    print("\n" + lab.table(("", "free", "4 GB"), rows))
    if not args.no_install:
        lab.write("footprint", {**found, "free": free, "limited_4gb": limited})


if __name__ == "__main__":
    main()
