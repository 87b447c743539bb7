"""Several files at once, by a few threads; the first failure, or Ctrl+C, stops them all at their next bytes."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence

from ..catalogue import File

Progress = Callable[[int, str], None]
Got = tuple[int, str]
_GRACE = 5.0  # seconds for the others to stop; what they have so far stays


class Stopped(BaseException):
    """Another file failed: this one need not go on. Not an Exception, so that nobody takes it for a bad source."""


class Crew:
    """``count`` threads; ``progress`` hears the sum of all files' bytes, never from two threads at once."""

    def __init__(self, count: int, progress: Progress) -> None:
        self._count = count
        self._progress = progress
        self._lock = threading.Lock()
        self._have: dict[str, int] = {}
        self._stop = threading.Event()
        self._errors: list[BaseException] = []

    def listener(self, name: str) -> Progress:
        """For the bytes of one file."""

        def listen(have: int, what: str) -> None:
            if self._stop.is_set():
                raise Stopped
            with self._lock:
                self._have[name] = have
                self._progress(sum(self._have.values()), what)

        return listen

    def run(
        self, files: Sequence[File], fetch: Callable[[File], Got], done: Callable[[File, Got], None]
    ) -> None:
        """``fetch`` each file, ``done`` for each that came. Raises the first failure once all have stopped."""
        waiting = deque(files)
        threads = [
            threading.Thread(
                target=self._work, args=(waiting, fetch, done), daemon=True, name=f"fetch-{number}"
            )
            for number in range(min(self._count, len(files)))
        ]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                while thread.is_alive() and not self._errors:
                    thread.join(0.1)
        finally:  # also at Ctrl+C, which only this thread hears
            self._stop.set()
            for thread in threads:
                thread.join(_GRACE)
        if self._errors:
            raise self._errors[0]

    def _work(
        self, waiting: deque[File], fetch: Callable[[File], Got], done: Callable[[File, Got], None]
    ) -> None:
        while not self._stop.is_set():
            try:
                file = waiting.popleft()
            except IndexError:
                return
            try:
                got = fetch(file)
                with self._lock:
                    done(file, got)
                    self._have[file.name] = got[0]
                    self._progress(sum(self._have.values()), file.name)
            except Stopped:
                return
            except BaseException as error:  # handed to the thread that waits
                self._errors.append(error)
                return
