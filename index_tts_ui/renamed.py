"""Renamed: what settings were called in earlier releases. Old names are taken over, with a notice.

A release that renames a setting, or changes its unit, adds a :class:`Change` (a new meaning gets a new name, so
that no value is ever read wrongly) and raises ``SCHEMA``. ``schema = N`` in ``tts.toml``, which nobody needs to
write, says which of them its names are of: a file of a newer release is refused as such, not for some name in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SCHEMA = 1
KEY = "schema"


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Change:
    """``old`` became ``new`` ("": it is gone, and ``why`` says what to do instead) with schema ``since``.

    ``convert`` makes the new value of the old one, and raises ValueError or TypeError where it was none.
    """

    since: int
    old: str
    new: str = ""
    convert: Callable[[Any], Any] = _same
    why: str = ""


CHANGES: tuple[Change, ...] = ()  # the first release is 0.1.0: there is nothing older yet


def taken_over(
    values: Mapping[str, Any], source: str, notice: Callable[[str], None], changes: Sequence[Change]
) -> dict[str, Any]:
    """``values`` under today's names. Where both names are given, the new one counts."""
    found = dict(values)
    for change in sorted(changes, key=lambda item: item.since):
        if change.old not in found:
            continue
        value = found.pop(change.old)
        if not change.new:
            notice(f"{change.old} (from {source}) has no effect any more: {change.why}")
        elif change.new in found:
            notice(
                f"{change.old} (from {source}) is now called {change.new}, which is given, too, and counts"
            )
        else:
            found[change.new] = _converted(change, value)
            notice(
                f"{change.old} (from {source}) is now called {change.new}; it was taken over: please rename it"
            )
    return found


def _converted(change: Change, value: Any) -> Any:
    try:
        return change.convert(value)
    except (TypeError, ValueError):
        return value  # the check of the new name says what is wrong with it
