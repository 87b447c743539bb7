"""The benchmark's whole way with tiny weights: service, worker, engine and the package beside them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
RUN = """
import json, sys
from benchmarks import indextts
found = indextts.main([*sys.argv[1:], "--no-write"])
print("FOUND " + json.dumps(found))
"""


@pytest.mark.slow
@pytest.mark.parametrize("version", ["2.5", "2"])
def test_the_benchmark_measures_both_sides_with_the_same_length_of_sound(version: str) -> None:
    argv = ["--version", version, "--users", "1,4", "--requests", "1", "--serial", "1", "--no-defaults"]
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RUN, *argv, "--device", "cpu"],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=540,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    found = json.loads(ran.stdout.rpartition("FOUND ")[2])
    one, four = found["users"]
    assert one["audio_seconds"] > 0.5 and four["audio_seconds"] == pytest.approx(4 * one["audio_seconds"])
    assert found["long"]["segments"] == 20
    assert found["long"]["ours"]["audio_seconds"] == pytest.approx(20 * one["audio_seconds"])
    assert found["serial_rate"] > 0 and set(one["stages"]) >= {"decode", "diffusion", "vocoder"}
    assert "| users | audio s/s | x serial |" in ran.stdout
