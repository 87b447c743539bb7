"""Jobs: long texts and many lines, spoken in the background, kept until they are fetched.

A job's lines are cut into segments; each finished segment is a file, and a row of SQLite says so. What
dies between two segments loses none of them. No names but these are for other rooms.
"""

from .asked import located
from .desk import JobDesk
from .fitting import over
from .record import ENDED, Job, NewJob, NewLine, Segment
from .sound import Placed, blocks, placed, total
from .sources import MOST_LINES, FileKind, kind_of, lines_in, lines_of, text_lines
from .subtitles import FORMATS as SUBTITLES
from .subtitles import subtitles

__all__ = [
    "ENDED",
    "MOST_LINES",
    "SUBTITLES",
    "FileKind",
    "Job",
    "JobDesk",
    "NewJob",
    "NewLine",
    "Placed",
    "Segment",
    "blocks",
    "kind_of",
    "lines_in",
    "lines_of",
    "located",
    "over",
    "placed",
    "subtitles",
    "text_lines",
    "total",
]
