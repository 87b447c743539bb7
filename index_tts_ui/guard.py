"""Guard: what a scheduler asks before it sends, when a segment is back, and when a request has failed."""

from __future__ import annotations

from .errors import TTSError
from .job import Job
from .speech import Audio, Segment


class Guard:
    """This one lets everything pass; ``backend.Backend`` is one that does not."""

    def allows(self, running: int) -> bool:
        """Whether another segment may be sent, while the workers have ``running``."""
        return True

    def fault(self, segment: Segment, audio: Audio) -> str:
        """What is wrong with a segment's sound: a code of ``errors.MESSAGES``, or ""."""
        return ""

    def spoke(self) -> None:
        """A segment came back as good sound."""

    def failed(self) -> None:
        """The engine failed: it died at its work, hung, or failed twice at what might have worked."""

    def rescues(self, job: Job, error: TTSError) -> bool:
        """Whether another engine takes over a request of which nothing was heard; else it ends with ``error``."""
        return False
