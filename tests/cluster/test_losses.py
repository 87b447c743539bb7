"""What is lost with its machine goes out again beside others, at once; a second loss makes it a suspect."""

from __future__ import annotations

from index_tts_ui.job import Job
from index_tts_ui.links import Death
from index_tts_ui.room import UNBOUNDED, Limits
from index_tts_ui.scheduler import Scheduler
from index_tts_ui.speech import Owner, Segment

GONE = Death("its replica is gone", None, outside=True, gone=True)


class _Link:
    """Keeps what it is sent."""

    generation = 1

    def __init__(self) -> None:
        self.sent: list[tuple[str, bool]] = []

    def admit(self, segment: Segment, attempt: int, exclusive: bool) -> None:
        """See ``WorkerLink``."""
        self.sent.append((segment.id, exclusive))

    def cancel(self, segment_id: str) -> None:
        """Nothing is."""


def _lane(scheduler: Scheduler, credit: int) -> tuple[_Link, object]:
    link, lane = _Link(), scheduler.open_lane()
    lane.attach(link, "tone", credit)  # type: ignore[arg-type]
    lane.grant(credit)
    return link, lane


def _job(count: int) -> Job:
    segments = [Segment(f"j/{index}", "", "", 5, "en", ()) for index in range(count)]
    return Job("j", "j", Owner("a"), segments, 0)


def test_a_lost_machine_speaks_against_none_of_its_segments_until_it_happens_twice() -> None:
    scheduler = Scheduler(Limits(UNBOUNDED, float("inf"), float("inf")))
    first, lane = _lane(scheduler, 2)
    job = _job(3)
    scheduler.submit(job)
    assert [name for name, _ in first.sent] == ["j/0", "j/1"]
    second, other = _lane(scheduler, 4)
    scheduler._pump()
    assert [name for name, _ in second.sent] == ["j/2"]
    lane.detach(GONE, coming=False)  # type: ignore[attr-defined]
    scheduler.close_lane(lane)  # type: ignore[arg-type]
    assert second.sent[1:] == [("j/0", False), ("j/1", False)], "at once, beside others"
    third, _ = _lane(scheduler, 4)
    other.detach(GONE, coming=False)  # type: ignore[attr-defined]
    scheduler.close_lane(other)  # type: ignore[arg-type]
    assert third.sent == [("j/0", True)], "lost twice, so alone"
    assert not job.ended and len(scheduler._lanes) == 1
