"""Sound: decode, resample, match loudness, join, encode. No names but these are for other rooms."""

from .decoder import decode
from .encoder import Encoder
from .formats import FORMATS, FormatInfo
from .leveler import Leveler
from .loudness import loudness
from .samples import resample, to_pcm16

__all__ = [
    "FORMATS",
    "Encoder",
    "FormatInfo",
    "Leveler",
    "decode",
    "loudness",
    "resample",
    "to_pcm16",
]
