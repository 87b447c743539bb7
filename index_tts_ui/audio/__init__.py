"""Sound: decode, resample, match loudness, join, encode. No names but these are for other rooms."""

from .decoder import decode
from .encoder import Encoder
from .formats import FORMATS, FormatInfo
from .leveler import Leveler
from .loudness import loudness
from .samples import resample, to_pcm16
from .subtitles import SUBTITLES, Cue, subtitles
from .tempo import at_speed

__all__ = [
    "FORMATS",
    "SUBTITLES",
    "Cue",
    "Encoder",
    "FormatInfo",
    "Leveler",
    "at_speed",
    "decode",
    "loudness",
    "resample",
    "subtitles",
    "to_pcm16",
]
