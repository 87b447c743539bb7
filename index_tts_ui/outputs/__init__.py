"""Sound that is kept: spooled to ``outputs/`` while it is made, heard by any number of readers, mended
segment by segment. No names but these are for other rooms.

An output is ``<id>.pcm`` (s16le mono) and, once complete, ``<id>.json``; sounds that its segments were given
later are in ``<id>.takes``. Its id is random and is all one needs to read it; to change it one must be who
made it. What is old or too much is cleaned away.
"""

from .parts import ORIGINAL, Part, Segment, chunks
from .recording import Recording
from .store import KEEP, OutputStore
from .takes import Take

__all__ = ["KEEP", "ORIGINAL", "OutputStore", "Part", "Recording", "Segment", "Take", "chunks"]
