"""Checks of what an engine made of a segment, whichever engine it was: the one place for them."""

from __future__ import annotations

import math

from .speech import Audio, Segment

SILENCE = 1e-4  # of full scale (-80 dB): below it nothing was said
LEAD = 5.0  # seconds that any segment may take beyond its words: breath, pauses
DURATION_MOST = 8.0  # times the natural duration that speed and duration factor can ask for together


def fault(segment: Segment, audio: Audio, token_seconds: float) -> str:
    """What is wrong: ``bad_samples``, ``silent_sound``, ``runaway_sound``, or "".

    ``token_seconds``: what the slowest speech of the engine needs for a token; 0: any length is believed.
    """
    if not len(audio.samples):
        return "silent_sound"
    high, low = float(audio.samples.max()), float(audio.samples.min())  # either is NaN where any sample is
    if not (math.isfinite(high) and math.isfinite(low)):
        return "bad_samples"
    if max(high, -low) < SILENCE:
        return "silent_sound"
    if token_seconds and audio.seconds > _longest(segment, token_seconds):
        return "runaway_sound"
    return ""


def _longest(segment: Segment, token_seconds: float) -> float:
    """Seconds that the segment can take at most."""
    factor = segment.params.get("duration_factor", 1.0) / segment.params.get("speed", 1.0)
    return (LEAD + segment.tokens * token_seconds) * min(DURATION_MOST, max(1.0, factor))
