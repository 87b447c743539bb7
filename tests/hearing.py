"""Ears for the tests: is this sound the sentence it should be?

Whisper base (MIT) listens. It gets no prompt, because it repeats a prompt when it understands
nothing, and no second try at a higher temperature, because that invents words. So noise,
silence and reversed speech come out far from the text; ``test_hearing`` keeps that true.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import av
import numpy as np
from faster_whisper import WhisperModel
from pypinyin import lazy_pinyin
from wetext import Normalizer

from index_tts_ui.audio import resample
from index_tts_ui.speech import Audio

from .whisper_files import whisper_folder

RATE = 16_000  # Hz, what Whisper listens to


def transcribe(samples: np.ndarray, rate: int, language: str) -> str:
    """What Whisper hears in mono float samples [n]; ``language`` is "zh" or "en"."""
    heard = resample(Audio(rate, np.asarray(samples, np.float32)), RATE).samples
    if not len(heard):
        return ""
    segments, _ = _model().transcribe(
        heard,
        language=language,
        temperature=0.0,
        condition_on_previous_text=False,
        without_timestamps=True,
    )
    return "".join(segment.text for segment in segments).strip()


def pinyin_error_rate(samples: np.ndarray, rate: int, text: str) -> float:
    """Wrong, missing and added syllables (toneless pinyin), as a share of the text's; can be over 1.

    Homophones and traditional script count as right; Latin words count as one syllable each.
    """
    return error_rate(syllables(text), syllables(transcribe(samples, rate, "zh")))


def word_error_rate(samples: np.ndarray, rate: int, text: str) -> float:
    """Wrong, missing and added words, as a share of the text's; can be over 1."""
    return error_rate(words(text), words(transcribe(samples, rate, "en")))


def decode_any(data: bytes) -> tuple[np.ndarray, int]:
    """The sound of a file in any format, as (mono float32 [n], Hz): FFmpeg's own reading of it.

    Apart from ``index_tts_ui.audio.decode`` on purpose: one of our errors must not hide another.
    """
    with av.open(io.BytesIO(data), "r") as container:
        resampler = av.AudioResampler(format="flt", layout="mono")
        frames = [*container.decode(audio=0), None]
        blocks = [plain for frame in frames for plain in resampler.resample(frame)]
    return np.concatenate([block.to_ndarray().ravel() for block in blocks]), blocks[0].sample_rate


def syllables(text: str) -> list[str]:
    """Toneless pinyin of what the text says, numbers spoken out, Latin words in lower case."""
    spoken = _normalizer("zh").normalize(text)
    return re.findall(r"[a-zü']+", " ".join(lazy_pinyin(spoken)).lower())


def words(text: str) -> list[str]:
    """Lower-case English words, numbers spelled out, without punctuation."""
    spoken = _normalizer("en").normalize(text.replace("’", "'"))
    return re.findall(r"[a-z]+(?:'[a-z]+)*", spoken.lower())


def error_rate(wanted: Sequence[str], heard: Sequence[str]) -> float:
    """Levenshtein distance of ``heard`` from ``wanted``, over the length of ``wanted``.

    A compound may be written in one word or two ("riverbank", "river bank").
    """
    if not wanted:
        raise ValueError("nothing to compare with: the text has no words")
    wanted, heard = _apart(wanted, heard), _apart(heard, wanted)
    row = list(range(len(heard) + 1))
    for i, expected in enumerate(wanted, 1):
        diagonal, row[0] = row[0], i
        for j, got in enumerate(heard, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (expected != got))
    return row[-1] / len(wanted)


def _apart(tokens: Sequence[str], other: Sequence[str]) -> list[str]:
    """``tokens``, with those that are two neighbours of ``other`` in one written as two."""
    pairs = {first + second: [first, second] for first, second in pairwise(other)}
    return [part for token in tokens for part in pairs.get(token, [token])]


@lru_cache(maxsize=1)
def _model() -> WhisperModel:
    threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
    return WhisperModel(str(whisper_folder()), device="cpu", compute_type="int8", cpu_threads=threads)


@lru_cache(maxsize=2)
def _normalizer(language: str) -> Normalizer:
    # the recogniser may write traditional characters, whose readings pypinyin knows less well
    return Normalizer(lang=language, operator="tn", traditional_to_simple=language == "zh")
