"""What makes the segments of a request one recording."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .edges import fade, trim
from .limiter import limit
from .loudness import measure
from .samples import bounded

TARGET = -20.0  # LUFS
MAX_GAIN = 15.0  # dB, up or down
TOO_QUIET = -50.0  # LUFS; a breath, not a voice: it must not set the gain
# Seconds of speech after which the gain has gone 63% of the way to what a segment asks for.
# A request's gain is a guess at first and settles with what was heard: a short word cannot move it.
TRUST_NEW = 0.5
TRUST_SETTLED = 1.0
SETTLED_AFTER = 4.0
LARGEST = 16.0  # a sample beyond it is an engine's accident; its square must stay a number


class Leveler:
    """One request's sound: silence trimmed, loudness matched, peaks limited, edges faded, pauses put in.

    All voices come out at ``TARGET``. The gain is constant within a segment and is held in
    the request's state, so the same samples in the same order give the same result.

    Args:
        rate: Hz of the samples.
        known: what another leveller's ``known`` was, to go on from there.
    """

    def __init__(self, rate: int, known: tuple[float, float] = (0.0, 0.0)) -> None:
        self._rate = rate
        self._begin = known
        self._gain, self._heard = known  # dB; seconds of speech the gain rests on

    @property
    def known(self) -> tuple[float, float]:
        """What was learnt about the loudness so far."""
        return self._gain, self._heard

    def process(self, samples: Any, pause_after: float, first: bool, last: bool) -> np.ndarray:
        """One segment, ready to be put behind the one before it. Segments come in order.

        Args:
            samples: [n], float in [-1, 1] or a little over; NaN and infinity become silence.
            pause_after: seconds of silence to end with; left out after the ``last`` segment.
            first: the recording begins here: what was learnt about the loudness since then is forgotten.
            last: the recording ends here.

        Returns:
            Float32 [m], its true peak under -1 dBFS, its first and last sample 0.
        """
        if first:
            self._gain, self._heard = self._begin
        speech = self._matched(trim(bounded(samples, LARGEST), self._rate))
        fade(speech, self._rate)
        speech = limit(speech, self._rate)
        if last or pause_after <= 0:
            return speech
        return np.concatenate([speech, np.zeros(round(pause_after * self._rate), np.float32)])

    def _matched(self, speech: np.ndarray) -> np.ndarray:
        """A copy at the request's gain, which it moves."""
        level, seconds = measure(speech, self._rate)
        if level > TOO_QUIET:
            wanted = min(MAX_GAIN, max(-MAX_GAIN, TARGET - level))
            self._gain += (wanted - self._gain) * self._confidence(seconds)
            self._heard += seconds
        return speech * np.float32(10 ** (self._gain / 20))

    def _confidence(self, seconds: float) -> float:
        """How far, 0 to 1, the gain follows a segment with this much speech."""
        settled = min(1.0, self._heard / SETTLED_AFTER)
        return 1 - math.exp(-seconds / (TRUST_NEW + (TRUST_SETTLED - TRUST_NEW) * settled))
