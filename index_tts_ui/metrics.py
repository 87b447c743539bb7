"""What ``GET /metrics`` says, in the text format of Prometheus. Counted here, read by nobody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from .account import OK, Account
from .handle import Status

# seconds; a short sentence takes a few hundredths, a book's chapter minutes
SECONDS = (0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 30.0, 60.0, 120.0)
FACTORS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0)
SEGMENTS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
JOB_STATES = ("queued", "running", "paused", "done", "failed", "cancelled")
STATES = ("loading", "ready", "restarting", "asleep", "waking", "down")
CLASSES = ("interactive", "background")
disable_created_metrics()  # a second series for each, which nobody looks at


class _Series(NamedTuple):
    """Those of one engine and class."""

    characters: Counter
    audio: Counter
    engine: Counter
    underruns: Counter
    total: Histogram
    wait: Histogram
    first: Histogram
    factor: Histogram


class Metrics:
    """Of one service; ``watch`` says where its state is to be read."""

    def __init__(self) -> None:
        self._series: dict[tuple[str, str], _Series] = {}
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        by_class = ("engine", "class")
        self._requests = self._counter(
            "requests",
            "Requests that ended, by outcome (ok, or the kind of error) and the error's code; "
            "without an engine where they were refused at the door.",
            (*by_class, "outcome", "code"),
        )
        self._sources = self._counter(
            "answers", "Where sound came from: spoken, shared with an equal request, or cached.", ("source",)
        )
        self._characters = self._counter("characters", "Characters of requests that were spoken.", by_class)
        self._audio = self._counter("audio_seconds", "Sound that listeners were given.", by_class)
        self._engine = self._counter("engine_seconds", "Engine time, summed over segments.", by_class)
        self._underruns = self._counter(
            "underruns", "Segments that came later than playing without a pause needs.", by_class
        )
        self._failures = self._counter(
            "segment_failures", "Segments that an engine did not speak, also where a retry helped.", ("code",)
        )
        self._total = self._histogram("request_seconds", "From submission to the end.", by_class)
        self._wait = self._histogram(
            "wait_seconds", "From submission to the first segment's start.", by_class
        )
        self._first = self._histogram("first_audio_seconds", "From submission to the first sound.", by_class)
        self._factor = self._histogram(
            "realtime_factor", "Seconds from start to end for a second of sound.", by_class, FACTORS
        )
        self._segment = self._histogram(
            "segment_seconds", "From a worker's getting it to its sound.", ("engine",)
        )
        self._made = self._counter(
            "made_seconds", "Sound that workers made, as each segment came.", ("engine",)
        )
        self._batch = self._histogram(
            "batch_segments", "Segments the workers had when one was done.", ("engine",), SEGMENTS
        )

        self._jobs_ended = self._counter(
            "jobs_ended", "Jobs that ended, by outcome: done, failed, cancelled.", ("outcome",)
        )
        self._job_segments = self._counter(
            "job_segments", "Segments of jobs, by outcome: done, failed.", ("outcome",)
        )
        self._jobs = Gauge("tts_jobs", "Jobs that are kept, by state.", ("state",), registry=self.registry)
        self._job_lines = Gauge(
            "tts_job_lines_waiting", "Lines of unfinished jobs yet to be spoken.", registry=self.registry
        )

    def _counter(self, name: str, about: str, labels: tuple[str, ...]) -> Counter:
        return Counter(f"tts_{name}", about, labels, registry=self.registry)

    def _histogram(
        self, name: str, about: str, labels: tuple[str, ...], buckets: tuple[float, ...] = SECONDS
    ) -> Histogram:
        return Histogram(f"tts_{name}", about, labels, buckets=buckets, registry=self.registry)

    def watch(self, status: Callable[[], Status]) -> None:
        """Read the queue and the workers there, whenever somebody asks."""
        self.registry.register(_State(status))

    def text(self) -> bytes:
        """The whole page."""
        return generate_latest(self.registry)

    def counted(self) -> Iterator[Sample]:
        """What is plotted of the counts so far, as Prometheus gets it."""
        plotted = (self._requests, self._made, self._wait, self._first, self._segment, self._batch)
        for family in plotted:
            for metric in family.collect():
                yield from metric.samples

    # ---- told by others

    def ended(self, account: Account) -> None:
        """A request ended, or was refused."""
        of = self._of(account.engine, CLASSES[account.background])
        self._requests.labels(account.engine, CLASSES[account.background], account.kind, account.code).inc()
        of.total.observe(account.total_seconds)
        if account.first_seconds is None:
            return
        self._sources.labels(account.source).inc()
        of.characters.inc(account.characters)
        of.audio.inc(account.audio_seconds)
        of.engine.inc(account.engine_seconds)
        of.underruns.inc(account.underruns)
        of.first.observe(account.first_seconds)
        if account.source != "cached":
            of.wait.observe(account.wait_seconds)
        if account.source == "spoken" and account.kind == OK and account.audio_seconds:
            spent = account.total_seconds - account.wait_seconds
            of.factor.observe(spent / account.audio_seconds)

    def _of(self, engine: str, kind: str) -> _Series:
        """Looked up once: it is on every request's way."""
        if (engine, kind) not in self._series:
            found = {name: getattr(self, f"_{name}").labels(engine, kind) for name in _Series._fields}
            self._series[engine, kind] = _Series(**found)
        return self._series[engine, kind]

    def job_ended(self, outcome: str) -> None:
        """A job did: done, failed (of some lines) or cancelled."""
        self._jobs_ended.labels(outcome).inc()

    def job_segment(self, outcome: str) -> None:
        """A segment of a job was spoken (done), or could not be (failed)."""
        self._job_segments.labels(outcome).inc()

    def jobs(self, states: Mapping[str, int], lines: int) -> None:
        """How many jobs there are in each state, and how many of their lines are yet to be spoken."""
        for state in JOB_STATES:
            self._jobs.labels(state).set(states.get(state, 0))
        self._job_lines.set(lines)

    def segment(self, engine: str, seconds: float, together: int, code: str, sound: float = 0.0) -> None:
        """A segment came back from a worker; ``code``: "" as ``sound`` seconds of it, else why not."""
        if code:
            self._failures.labels(code).inc()
            return
        self._segment.labels(engine).observe(seconds)
        self._made.labels(engine).inc(sound)
        self._batch.labels(engine).observe(together)


class _State(Collector):
    """What is so now, rather than what was counted."""

    def __init__(self, status: Callable[[], Status]) -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        """See ``prometheus_client``."""
        status = self._status()
        for name, about, value in (
            ("ready", "1: it can be asked now.", status.ready),
            ("queue_waiting", "Requests with segments yet to be sent to a worker.", status.waiting),
            ("queue_limit", "Waiting requests above which others are refused.", status.max_waiting),
            ("segments_running", "Segments that workers have.", status.running),
            ("backup_speaks", "1: the backup engine speaks for the main one.", status.stands_in),
        ):
            yield GaugeMetricFamily(f"tts_{name}", about, value=float(value))
        yield from self._workers(status)

    def _workers(self, status: Status) -> Iterator[Metric]:
        state = GaugeMetricFamily(
            "tts_worker_state", "1 for the state a worker is in.", labels=("engine", "device", "state")
        )
        labels = ("engine", "device")
        restarts = CounterMetricFamily(
            "tts_worker_restarts", "Workers that ended on a device.", labels=labels
        )
        running = GaugeMetricFamily("tts_worker_segments", "Segments a worker has.", labels=labels)
        rows = GaugeMetricFamily("tts_worker_rows", "Rows of the batch under way.", labels=labels)
        memory = GaugeMetricFamily("tts_worker_memory_bytes", "A worker's resident memory.", labels=labels)
        device = GaugeMetricFamily(
            "tts_gpu_memory_bytes", "Memory of the GPU that a worker holds.", labels=labels
        )
        owned = [(backend.engine, worker) for backend in status.backends for worker in backend.workers]
        for engine, worker in owned:
            where = (engine, worker.device)
            for name in STATES:
                state.add_metric((*where, name), float(worker.state == name))
            restarts.add_metric(where, worker.restarts)
            running.add_metric(where, worker.running)
            for family, key, unit in (
                (rows, "rows", 1),
                (memory, "resident_mb", 2**20),
                (device, "device_mb", 2**20),
            ):
                value: Any = worker.stats.get(key)
                if isinstance(value, (int, float)):
                    family.add_metric(where, value * unit)
        yield from (state, restarts, running, rows, memory, device)
