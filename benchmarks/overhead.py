"""The bare engine in a loop against the same engine through HTTP with 1, 8 and 50 clients.

    python -m benchmarks.overhead [--case tone|tone-fast|kokoro]... [--seconds 10] [--rounds 3]

"Bare" keeps as many segments in the engine as there are clients (up to its rows), in one
process, with nothing around it. Bare and HTTP take turns, round by round, so that a change in the machine's
speed meets both. ``tone`` is set to cost 4 ms a step and 0.1 ms a row, as a batched model might. Between
two requests of a single client the processor then sleeps for a tenth of a second, and wakes up slowly and
with empty caches; ``tone-fast`` costs next to nothing, so that the processor stays awake.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import uvloop

from index_tts_ui import engines
from index_tts_ui.engines.base import EngineOptions
from index_tts_ui.speech import Piece, Segment, VoiceRef

from . import lab


@dataclass(frozen=True)
class Case:
    """An engine, its options, and how many clients ask it."""

    engine: str
    options: str
    clients: tuple[int, ...]


CASES = {
    "tone": Case("tone", "step_ms=4,row_ms=0.1", (1, 8, 50)),
    "tone-fast": Case("tone", "step_ms=0.1,row_ms=0.005", (1,)),
    "kokoro": Case("kokoro", "", (1, 8, 50)),
}
TEXTS = {
    # 15 to 45 characters, 0.9 to 2.7 s of sound: rows leave the batch one by one, as sentences do
    "tone": ["".join(chr(97 + (n * 7 + i) % 26) for i in range(15 + n * 11 % 31)) for n in range(31)],
    "kokoro": [
        "今天天气很好，我们去公园走走吧。",
        "The quick brown fox jumps over the lazy dog.",
        "请稍等，我马上回来。",
    ],
}
VOICES = {"tone": "tone-a", "kokoro": "zf_xiaobei"}


@dataclass
class Measured:
    """Requests, and seconds of the engine's audio, per second of wall time; latency in ms, text by text.

    What the service sends is a little shorter than what the engine made (silence is trimmed off the
    edges), so both sides count the engine's audio: requests of the same texts. Texts differ in
    length, so latencies are compared for each text (its median), never across them.
    """

    clients: int
    request_rate: float
    audio_rate: float
    latencies_ms: dict[str, float]  # by the text's number
    requests: int

    @classmethod
    def of(cls, clients: int, wall: float, audio: float, latencies: dict[int, list[float]]) -> Measured:
        """``latencies`` in seconds."""
        count = sum(map(len, latencies.values()))
        medians = {str(text): 1000 * lab.median(seen) for text, seen in latencies.items()}
        return cls(clients, count / wall, audio / wall, medians, count)

    @property
    def latency_ms(self) -> float:
        """The median text's."""
        return lab.median(list(self.latencies_ms.values()))

    def added_ms(self, bare: Measured) -> float:
        """The median, over the texts, of what this side takes longer than ``bare``."""
        common = self.latencies_ms.keys() & bare.latencies_ms.keys()
        return lab.median([self.latencies_ms[text] - bare.latencies_ms[text] for text in common])


def bare(case: Case, clients: int, seconds: float) -> Measured:
    """The engine alone, ``clients`` segments at a time."""
    name = case.engine
    spec = engines.REGISTRY[name]
    extra = tuple(tuple(pair.split("=")) for pair in case.options.split(",") if pair)
    engine = engines.resolve(spec.engine)(EngineOptions(extra=extra))  # type: ignore[arg-type]
    engine.load(lab.ROOT / "cache_hub" / (spec.model or name), lambda _fraction, _text: None)
    frontend = engines.resolve(spec.frontend)()
    pieces = [frontend.split(text)[0] for text in TEXTS[name]]
    return _loop(engine, pieces, VOICES[name], clients, seconds)


def _loop(
    engine: engines.base.Engine, pieces: Sequence[Piece], voice: str, clients: int, seconds: float
) -> Measured:
    began: dict[str, float] = {}
    latencies: dict[int, list[float]] = {}
    audio = 0.0
    number = 0
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        while len(began) < clients and engine.free() > 0:
            piece = pieces[number % len(pieces)]
            began[str(number)] = time.perf_counter()
            engine.admit(
                Segment(
                    str(number),
                    piece.text,
                    piece.spoken,
                    piece.tokens,
                    piece.language,
                    (VoiceRef("builtin", voice),),
                )
            )
            number += 1
        for result in engine.step():
            assert result.audio is not None, result.message
            audio += result.audio.seconds
            took = time.perf_counter() - began.pop(result.segment_id)
            latencies.setdefault(int(result.segment_id) % len(pieces), []).append(took)
    return Measured.of(clients, time.perf_counter() - start, audio, latencies)


async def _over_http(port: int, name: str, clients: int, seconds: float) -> Measured:
    latencies: dict[int, list[float]] = {}
    start = time.perf_counter()

    async def user(number: int) -> None:
        async with lab.Client.connect(port) as client:
            while time.perf_counter() - start < seconds:
                text = number % len(TEXTS[name])
                reply = await client.speak(TEXTS[name][text], VOICES[name])
                assert reply.status == 200, reply
                number += 1
                latencies.setdefault(text, []).append(reply.total)

    await asyncio.gather(*(user(number) for number in range(clients)))
    return Measured.of(clients, time.perf_counter() - start, 0.0, latencies)


def _child(*arguments: str) -> Measured:
    """Run one side in a process of its own, as the server's worker is."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.overhead", *arguments],
        cwd=lab.ROOT,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def compare(name: str, seconds: float, rounds: int) -> dict[str, object]:
    """Both sides in turn; medians over the rounds."""
    case = CASES[name]
    flags = ["--engine", case.engine, "--max-waiting", "1000", "--timeout", "120", "--queue-timeout", "600"]
    flags += ["--engine-options", case.options] if case.options else []
    rows = []
    with lab.server(*flags) as server:
        idle = server.memory_mb()
        asyncio.run(_over_http(server.port, case.engine, 1, 2))
        for clients in case.clients:
            pairs = []
            for _ in range(rounds):
                ours = _child("--http", str(server.port), case.engine, str(clients), str(seconds))
                pairs.append((_child("--bare", name, str(clients), str(seconds)), ours))
            rows.append(_row(clients, pairs))
        return {"rows": rows, "memory_idle_mb": round(idle), "memory_loaded_mb": round(server.memory_mb())}


def _row(clients: int, pairs: Sequence[tuple[Measured, Measured]]) -> dict[str, float]:
    def middle(values: list[float], digits: int = 2) -> float:
        return round(lab.median(values), digits)

    return {
        "clients": clients,
        "bare_audio_s_per_s": middle([one.audio_rate for one, _ in pairs]),
        "http_audio_s_per_s": middle(
            [one.audio_rate * two.request_rate / one.request_rate for one, two in pairs]
        ),
        "ratio": middle([two.request_rate / one.request_rate for one, two in pairs], 3),
        "bare_ms": middle([one.latency_ms for one, _ in pairs]),
        "http_ms": middle([two.latency_ms for _, two in pairs]),
        "added_ms": middle([two.added_ms(one) for one, two in pairs]),
        "requests": sum(two.requests for _, two in pairs),
    }


def main() -> None:
    """See the module."""
    if sys.argv[1:2] == ["--bare"]:
        print(json.dumps(asdict(bare(CASES[sys.argv[2]], int(sys.argv[3]), float(sys.argv[4])))))
        return
    if sys.argv[1:2] == ["--http"]:
        port, name, clients, seconds = sys.argv[2:6]
        print(json.dumps(asdict(uvloop.run(_over_http(int(port), name, int(clients), float(seconds))))))
        return
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--case", choices=tuple(CASES), action="append", help="default: all")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    results = {}
    for name in args.case or CASES:
        results[name] = compare(name, args.seconds, args.rounds)
        rows = results[name]["rows"]
        assert isinstance(rows, list)
        print(f"\n{name}\n\n" + lab.table(list(rows[0]), [list(row.values()) for row in rows]))
        print(
            f"\nmemory: {results[name]['memory_idle_mb']} MiB idle, {results[name]['memory_loaded_mb']} MiB after"
        )
    if not args.case:
        lab.write("overhead", results)


if __name__ == "__main__":
    main()
