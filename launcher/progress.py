"""A progress bar: one moving line on a terminal, a plain line now and then without one."""

from __future__ import annotations

import sys
import time
from typing import TextIO

_WIDTH = 28
_STEP = 0.1  # seconds between redraws of the moving line
_SHARE = 0.25  # of the whole between two plain lines


class Bar:
    """``update(done, label)`` as often as you like; ``close()`` ends the line. Units are bytes unless total is 1."""

    def __init__(self, total: float, stream: TextIO | None = None, quiet: bool = False) -> None:
        self.total = max(total, 1e-9)
        self.stream = stream or sys.stderr
        self.quiet = quiet
        self.moving = self.stream.isatty()
        self._drawn = float("-inf")
        self._said = -1.0
        self._label = ""
        self._open = False

    def restart(self, total: float) -> None:
        """Begin anew, with another total."""
        self.total = max(total, 1e-9)
        self._said = -1.0

    def update(self, done: float, label: str = "") -> None:
        """Show ``done`` of the total."""
        if self.quiet:
            return
        share = min(1.0, done / self.total)
        if self.moving:
            if share >= 1 or time.monotonic() - self._drawn >= _STEP:
                self._draw(share, label)
        elif share - self._said >= _SHARE or (share >= 1 > self._said):
            self._said = share
            self._write(f"{self._figures(share)} {label}\n")

    def _draw(self, share: float, label: str) -> None:
        self._drawn = time.monotonic()
        filled = round(share * _WIDTH)
        bar = "█" * filled + "░" * (_WIDTH - filled)
        self._open = True
        self._write(f"\r\033[K{bar} {self._figures(share)} {label[:40]}")

    def _figures(self, share: float) -> str:
        if self.total <= 1:
            return f"{share:4.0%}"
        return f"{share:4.0%} {share * self.total / 1e6:.0f}/{self.total / 1e6:.0f} MB"

    def _write(self, text: str) -> None:
        try:
            self.stream.write(text)
            self.stream.flush()
        except (OSError, UnicodeError):
            self.quiet = True  # a closed or narrow terminal must not stop the work

    def close(self) -> None:
        """End the moving line."""
        if self._open:
            self._write("\n")
            self._open = False
