"""Fitting: a line that is longer than its slot is spoken again, faster, within bounds."""

from __future__ import annotations

from collections.abc import Sequence

from .record import Line, Segment

PASSES = 2  # an engine's speed is not exact: what is still too long is spoken once more
TOLERANCE = 0.02  # of the slot: nobody hears that
MARGIN = 1.01  # faster than the measure says, so that one pass is mostly enough
FASTEST = 4.0  # the highest speed that a request may have


def seconds(segments: Sequence[Segment]) -> float:
    """How long the line of these sounds, with the pauses in it."""
    spoken = [one for one in segments if one.state == "done"]
    pauses = sum(one.pause for one in spoken[:-1])
    return sum(one.samples / one.rate for one in spoken) + pauses


def over(line: Line, segments: Sequence[Segment]) -> float:
    """Seconds by which it is longer than its slot; 0 where it fits, or has none."""
    if line.slot is None:
        return 0.0
    beyond = seconds(segments) - line.slot
    return round(beyond, 3) if beyond > TOLERANCE * line.slot else 0.0


def faster(line: Line, segments: Sequence[Segment], most: float) -> float | None:
    """How many times faster than it should be spoken; None where it fits, or cannot become any faster."""
    if line.slot is None or not over(line, segments):
        return None
    wanted = min(most, line.fit * seconds(segments) / line.slot * MARGIN)
    return round(wanted, 4) if wanted > line.fit * (1 + TOLERANCE / 2) else None


def hastened(speed: float, line: Line) -> float:
    """The speed to ask for. Only where it must be: what fits is spoken as it was asked for."""
    return speed if line.fit == 1 else min(FASTEST, round(speed * line.fit, 4))
