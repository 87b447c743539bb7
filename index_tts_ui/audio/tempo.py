"""Faster or slower at the same pitch, for engines that cannot do it themselves: FFmpeg's ``atempo`` (WSOLA)."""

from __future__ import annotations

from fractions import Fraction

import av
import av.filter
import numpy as np

from ..speech import Audio

LEAST, MOST = 0.5, 2.0  # of one filter; beyond that two stand in a row


def at_speed(audio: Audio, speed: float) -> Audio:
    """``audio`` spoken ``speed`` times as fast; itself where that is 1."""
    if speed == 1.0 or not len(audio.samples):
        return audio
    graph = av.filter.Graph()
    steps = [
        graph.add_abuffer(
            sample_rate=audio.rate, format="flt", layout="mono", time_base=Fraction(1, audio.rate)
        ),
        *(graph.add("atempo", f"{step:.6f}") for step in _steps(speed)),
        graph.add("abuffersink"),
    ]
    graph.link_nodes(*steps).configure()
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(audio.samples, np.float32)[None], "flt", "mono")
    frame.sample_rate, frame.pts = audio.rate, 0
    graph.push(frame)
    graph.push(None)
    parts = []
    while True:
        try:
            parts.append(graph.pull().to_ndarray().ravel())
        except (av.EOFError, av.BlockingIOError):
            break
    return Audio(audio.rate, np.concatenate(parts) if parts else np.zeros(0, np.float32))


def _steps(speed: float) -> list[float]:
    """Factors within one filter's range, whose product is ``speed``."""
    if LEAST <= speed <= MOST:
        return [speed]
    bound = MOST if speed > MOST else LEAST
    return [bound, *_steps(speed / bound)]
