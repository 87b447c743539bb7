"""IndexTTS for many users at once: the package's own serial ``infer`` against this service, same weights and texts.

    python -m benchmarks.indextts [--version 2.5|2] [--size tiny|full] [--device auto|cpu|cuda:0] [--users 1,2,4]

The weights are random (made on the spot; see tests/indextts/checkpoint.py) and never stop by themselves, so that
every segment is ``--codes`` codes long on both sides. Ours goes through the real service: door, scheduler,
worker process, engine. "Serial" is the package with one beam and our number types; "defaults" is the package as it
comes (three beams, float32). Serial and ours take turns; serial gives the same however many users wait for it.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from . import lab
from .indextts_ours import Measured, Ours
from .indextts_serial import Serial, Setup
from .subjects import recording

TEXT = "今天天气很好我们一起去公园"
SENTENCES = 20
SENTENCE = "今天天气很好我们一起去公园散步"
HEADS = (
    "users",
    "audio s/s",
    "x serial",
    "x defaults",
    "RTF",
    "first audio p50, ms",
    "p95, ms",
    "memory, MiB",
)


def main(argv: list[str] | None = None) -> dict[str, Any]:
    """Measure, print, write; returns what was written."""
    given = _parse(argv)
    setup = _setup(given)
    print(
        f"IndexTTS-{setup.version}, {given.size}, {setup.device}, {setup.codes} codes a segment", flush=True
    )
    with tempfile.TemporaryDirectory() as home:
        found = asyncio.run(_measure(setup, given, Path(home)))
    print(_report(found))
    if not given.no_write:
        kind = setup.device.partition(":")[0]
        lab.write(f"indextts-{setup.version}-{given.size}-{kind}", found)
    return found


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.indextts", description=__doc__)
    parser.add_argument("--version", choices=["2.5", "2"], default="2.5")
    parser.add_argument("--size", choices=["tiny", "full"], default="tiny")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--users", default="", help="default: 1,2,4,8,16 on a CPU, up to 64 on a GPU")
    parser.add_argument("--codes", type=int, default=0, help="default: 50 on a CPU, 6 s of sound on a GPU")
    parser.add_argument("--requests", type=int, default=3, help="of each user, one after the other")
    parser.add_argument("--serial", type=int, default=4, help="serial runs to take the median of")
    parser.add_argument("--options", default="", help="engine options, key=value,... (dtype=fp32)")
    parser.add_argument("--no-defaults", action="store_true", help="leave out the package with three beams")
    parser.add_argument("--no-long", action="store_true", help="leave out the text of 20 segments")
    parser.add_argument("--no-write", action="store_true")
    return parser.parse_args(argv)


def _setup(given: argparse.Namespace) -> Setup:
    import torch

    from tests.indextts.checkpoint import made

    device = given.device
    if device == "auto":
        device = "cuda:0" if torch.cuda.is_available() else "cpu"
    on_gpu = device.startswith("cuda")
    codes = given.codes or ((150 if given.version == "2.5" else 300) if on_gpu else 50)
    if not given.users:
        given.users = "1,2,4,8,16,32,64" if on_gpu else "1,2,4,8,16"
    folder = made("v25" if given.version == "2.5" else "v2", given.size, "never")
    return Setup(given.version, folder, device, codes, half=on_gpu and "fp32" not in given.options)


async def _measure(setup: Setup, given: argparse.Namespace, home: Path) -> dict[str, Any]:
    users = [int(one) for one in given.users.split(",")]
    clip = home / "clip.wav"
    sound = recording(5.0)
    clip.write_bytes(sound)
    rows: list[Measured] = []
    long_text = "。".join([SENTENCE] * SENTENCES) + "。"
    async with Ours.running(setup, home, max(*users, SENTENCES), given.options) as ours:
        voice = await ours.add(sound)
        serial = await asyncio.to_thread(Serial, setup, clip)
        one_beam = await asyncio.to_thread(serial.rate, TEXT, given.serial, 1)
        await ours.measure(users[0], TEXT, voice, 1)  # warm
        for count in users:
            rows.append(await ours.measure(count, TEXT, voice, given.requests))
            print(f"  {count} users: {rows[-1].audio_rate:.1f} audio s/s", file=sys.stderr, flush=True)
        again = await asyncio.to_thread(serial.rate, TEXT, given.serial, 1)
        long = None
        if not given.no_long:
            segments = await ours.segments(long_text, voice)
            theirs = await asyncio.to_thread(serial.rate, long_text, 1, 1)
            mine = await ours.measure(1, long_text, voice, 1)
            long = {"segments": segments, "serial": theirs, "ours": asdict(mine)}
        memory = serial.memory_mb()
        await asyncio.to_thread(serial.close)
        defaults = None
        if not given.no_defaults:
            plain = await asyncio.to_thread(Serial, setup.plain(), clip)
            defaults = await asyncio.to_thread(plain.rate, TEXT, given.serial, 3)
    return {
        "version": setup.version,
        "size": given.size,
        "device": ours.device_name(),
        "codes": setup.codes,
        "serial_rate": (one_beam + again) / 2,
        "serial_rates": [one_beam, again],
        "serial_memory_mb": memory,
        "defaults_rate": defaults,
        "users": [asdict(row) for row in rows],
        "long": long,
    }


def _report(found: dict[str, Any]) -> str:
    serial, defaults = found["serial_rate"], found["defaults_rate"]
    rows = [
        [
            row["users"],
            f"{row['audio_rate']:.2f}",
            f"{row['audio_rate'] / serial:.1f}",
            f"{row['audio_rate'] / defaults:.1f}" if defaults else "",
            f"{1 / row['audio_rate']:.4f}",
            f"{row['first_p50_ms']:.0f}",
            f"{row['first_p95_ms']:.0f}",
            f"{row['memory_mb']:.0f}",
        ]
        for row in found["users"]
    ]
    beams = f"; with its defaults {defaults:.2f}" if defaults else ""
    lines = [f"serial package, one beam: {serial:.2f} audio s/s{beams}", "", lab.table(HEADS, rows)]
    if long := found["long"]:
        ratio = long["ours"]["audio_rate"] / long["serial"]
        lines += ["", f"one user, {long['segments']} segments: {ratio:.1f} times the serial package"]
    stages = {name: seconds for row in found["users"] for name, seconds in row["stages"].items()}
    names = sorted(stages)
    split = [
        [row["users"], *(f"{row['stages'].get(name, 0):.0%}" for name in names)] for row in found["users"]
    ]
    return "\n".join([*lines, "", lab.table(["users", *names], split)])


if __name__ == "__main__":
    main()
