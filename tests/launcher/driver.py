"""A stand-in for NVIDIA's driver library, built from nvml.c; commands find it where they find the real one."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("nvml.c")


@dataclass
class StubDriver:
    """``says`` sets what the library answers from now on; ``environ`` is what a command needs to find it."""

    folder: Path

    @property
    def environ(self) -> dict[str, str]:
        """Variables for a command."""
        return {"LD_LIBRARY_PATH": str(self.folder), "NVML_STUB": str(self.folder / "state")}

    def says(self, *lines: str) -> None:
        """See nvml.c."""
        (self.folder / "state").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="session")
def built_driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built library."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        if os.environ.get("TTS_TESTS_STRICT") == "1":
            pytest.fail("a C compiler is needed: apt-get install gcc libc6-dev")
        pytest.skip("no C compiler")
    folder = tmp_path_factory.mktemp("driver")
    library = folder / "libnvidia-ml.so.1"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, SOURCE], check=True, timeout=60)
    return folder


@pytest.fixture
def driver(built_driver: Path) -> StubDriver:
    """One healthy GPU that nobody uses."""
    stub = StubDriver(built_driver)
    stub.says()
    return stub
