"""What the application does for a command, in a process of its own: ``python -m index_tts_ui.admin``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from .errors import Failed


def ask(words: Sequence[str], seconds: float, failure: str, secret: str | None = None) -> dict[str, Any]:
    """The JSON object on the last line that it prints; ``secret`` is its standard input.

    Raises:
        Failed: with the key ``failure`` and a reason, where it gives no answer.
    """
    import subprocess

    command = [sys.executable, "-P", "-m", "index_tts_ui.admin", *words]
    try:
        done = subprocess.run(
            command,
            input=f"{secret}\n" if secret is not None else "",
            capture_output=True,
            text=True,
            timeout=seconds,
        )
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired as error:
        raise Failed(failure, reason=f"no answer within {seconds:g} s") from error
    except (ValueError, IndexError) as error:
        reason = (done.stderr.strip().splitlines() or ["no answer"])[-1].rstrip(".")
        raise Failed(failure, reason=reason) from error
    return answer
