"""What every test may ask for."""

from __future__ import annotations

import os

# Before anything loads a maths library: parallel tests must not fight for the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import signal
import socket
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import httpx
import numpy as np
import pytest

# A shell lets what it starts in the background ignore Ctrl+C, and all that is started from there would inherit it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# httpx reads the certificates of all the world for each client (27 ms), and the tests make thousands of them.
httpx._transports.default.create_ssl_context = cache(httpx.create_ssl_context)

if TYPE_CHECKING:
    from .packages import PackagesTogether

HOME = Path(__file__).resolve().parent.parent
Say = Callable[..., np.ndarray]


@pytest.hookimpl(optionalhook=True)  # without pytest-xdist nobody asks
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> PackagesTogether | None:
    """With ``--dist loadfile`` the files of a package stay together."""
    from .packages import PackagesTogether

    return PackagesTogether(config, log) if config.getvalue("dist") == "loadfile" else None


_begun = time.monotonic()
_config: pytest.Config | None = None


def pytest_configure(config: pytest.Config) -> None:
    """Kept for what prints."""
    global _config
    _config = config


@pytest.hookimpl(trylast=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Says at once what failed: pytest itself says it at the end, which a run that is cut short never sees."""
    terminal = _config and _config.pluginmanager.get_plugin("terminalreporter")
    if report.failed and terminal and not hasattr(_config, "workerinput"):  # those only run tests
        crash = getattr(report.longrepr, "reprcrash", None)
        reason = crash.message.splitlines()[0] if crash and crash.message else ""
        terminal.write_line(
            f"\nFAILED after {time.monotonic() - _begun:.0f} s: {report.nodeid} ({report.when}) {reason[:300]}"
        )


@pytest.fixture
def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture(scope="session")
def kokoro_dir() -> Path:
    """The embedded voice's model folder; without it the test is skipped, or fails if TTS_TESTS_STRICT=1."""
    folder = HOME / "cache_hub" / "kokoro"
    missing = [name for name in ("model.onnx", "vocab.json", "voices") if not (folder / name).exists()]
    if missing:
        _unavailable(f"cache_hub/kokoro lacks {', '.join(missing)}: run 'tts-launch models fetch kokoro'")
    return folder


@pytest.fixture(scope="session")
def say(kokoro_dir: Path) -> Iterator[Say]:
    """``say(text, voice, readings=())``: raw float32 samples at 24 kHz from the real Kokoro engine, kept for the session."""
    from .speaking import Speaker

    speaker = Speaker(kokoro_dir)
    yield speaker.say
    speaker.close()


def _unavailable(reason: str) -> NoReturn:
    if os.environ.get("TTS_TESTS_STRICT") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
