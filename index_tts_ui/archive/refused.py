"""Refused: why a backup or a restore is not done. The launcher has the sentences (``messages_backup``)."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """``key`` is stable; ``facts`` (JSON) fill its sentence."""

    def __init__(self, key: str, **facts: Any) -> None:
        self.key = key
        self.facts = {name: str(value) for name, value in facts.items()}
        super().__init__(f"{key} {self.facts}")
