"""The wall clock of one instance's processes, which jumps on command (see clock.c)."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("clock.c")


class Clock:
    """``environ`` puts a process under it. Without a C compiler there is none: ``works`` is false."""

    def __init__(self, folder: Path) -> None:
        self._offset = folder / "clock"
        self._offset.write_bytes(bytes(8))
        self._library = folder / "clock.so"
        compiler = shutil.which("gcc") or shutil.which("cc")
        if compiler:
            command = [compiler, "-O1", "-shared", "-fPIC", "-o", self._library, SOURCE, "-ldl"]
            subprocess.run(command, check=True, timeout=60)
        elif os.environ.get("TTS_TESTS_STRICT") == "1":
            raise RuntimeError("a C compiler is needed: apt-get install gcc libc6-dev")
        self.works = compiler is not None

    @property
    def environ(self) -> dict[str, str]:
        """Variables of a process that lives by this clock."""
        return {"LD_PRELOAD": str(self._library), "CHAOS_CLOCK": str(self._offset)} if self.works else {}

    def jump(self, seconds: int) -> None:
        """From now on the clock is ``seconds`` away from the machine's, in all its processes at once."""
        with self._offset.open("r+b") as file:
            file.write(seconds.to_bytes(8, "little", signed=True))
