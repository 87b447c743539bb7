"""Two favours of the Linux kernel (prctl): orphans of our tree come to us, and a child dies with its parent."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1  # prctl(2)
_PR_SET_CHILD_SUBREAPER = 36


def _prctl(option: int, value: int) -> None:
    try:
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)
    except (OSError, AttributeError):
        pass  # markers and the control channel do the same, a little later


def adopt_orphans() -> None:
    """Grandchildren that lose their parent come to us instead of to init, so the tree stays whole."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def dying_with_parent() -> Callable[[], None]:
    """For ``preexec_fn``: SIGKILL when the parent ends, however it ends and however stuck the child is.

    The kernel means the thread that forks, so this is for a program's main thread. A parent that
    ended before the request was made is seen by its pid.
    """
    parent = os.getpid()

    def ask() -> None:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return ask
