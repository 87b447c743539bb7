"""One instance of this service behind another: real processes, with the test engine."""

from __future__ import annotations

import io
import os
import signal
import wave
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.api.cloning import added
from tests.api.server import Server, free_port, serving, until

pytestmark = pytest.mark.slow
TONE = "--engine=tone"
SENTENCE = "The quick brown fox jumps over it."
KEY = "tts_secret_of_the_test"


def ask(server: Server, text: str = SENTENCE, **fields: Any) -> httpx.Response:
    """POST /v1/audio/speech."""
    body = {"model": "tts-1", "voice": "tone-a", "input": text, "response_format": "wav", **fields}
    return httpx.post(f"{server.url}/v1/audio/speech", json=body, timeout=60)


def samples(answer: httpx.Response) -> np.ndarray:
    """Of a wav, as 16-bit numbers."""
    assert answer.status_code == 200, answer.text
    with wave.open(io.BytesIO(answer.content)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(int)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("remote")


@pytest.fixture(scope="module")
def direct(home: Path) -> Iterator[Server]:
    """It is asked itself, and by the front."""
    with serving(
        home / "direct", "--engine", "tone-clone", f"--engine-options=record={home}/got.jsonl"
    ) as one:
        yield one


@pytest.fixture(scope="module")
def front(home: Path, direct: Server) -> Iterator[Server]:
    """It has no engine."""
    with serving(home / "front", "--upstreams", direct.url) as one:
        yield one


def test_the_sound_is_that_of_the_upstream(direct: Server, front: Server) -> None:
    voice = added(direct, "Anna")["id"]
    own = added(front, "Anna")["id"]
    for text, speed in ((SENTENCE, 1.0), ("你好，世界。", 1.0), (SENTENCE, 1.5)):
        here = samples(ask(direct, text, voice=voice, speed=speed))
        there = samples(ask(front, text, voice=own, speed=speed))
        assert len(here) == len(there) and np.abs(here - there).max() <= 2, text


def test_the_front_says_what_it_is_and_nothing_of_keys(front: Server, direct: Server) -> None:
    status = front.status()
    assert status["engine"] == "remote" and status["ready"]
    (worker,) = status["workers"]
    assert worker["device"] == direct.url.removeprefix("http://") and worker["state"] == "ready"
    assert "clone" in status["features"] and "emotion" in status["features"]
    metrics = httpx.get(f"{front.url}/metrics").text
    assert f'tts_worker_state{{device="{worker["device"]}",engine="remote",state="ready"}} 1.0' in metrics


def test_long_texts_marks_emotions_and_parameters_arrive(front: Server, home: Path) -> None:
    own = added(front, "Berta", seed=1)["id"]
    text = "First sentence here. [pause 0.5s] And NVMe after it. " + SENTENCE * 3
    answer = ask(
        front,
        text,
        voice=own,
        emotion="happy",
        temperature=0.5,
        glossary=[{"word": "NVMe", "said": "N V M E"}],
    )
    assert answer.status_code == 200, answer.text
    got = (home / "got.jsonl").read_text("utf-8")
    assert "N V M E after it" in got and '"temperature": 0.5' in got and '"vector": [' in got


def test_what_nobody_has_is_refused_at_the_door(front: Server) -> None:
    assert ask(front, voice="nobody").status_code == 404
    assert ask(front, voice="").status_code == 400


def test_a_key_is_needed_sent_and_never_told(tmp_path: Path) -> None:
    (tmp_path / "up.key").write_text(KEY)
    with serving(tmp_path / "closed", TONE, "--require-key", "on", path="/healthz") as closed:
        file = tmp_path / "up.toml"
        named = f'name = "closed"\nurl = "{closed.url}"\nkey_file = "{tmp_path}/up.key"'
        file.write_text(f"[[upstream]]\n{named}\n")
        with serving(tmp_path / "front", "--upstreams", str(file), path="/healthz") as front:
            until(lambda: "check its key" in front.status()["workers"][0]["reason"], "it says why")
            refused = ask(front)
            assert refused.status_code == 503 and KEY not in refused.text
            told = [front.log, front.status(), Path(f"/proc/{front.process.pid}/cmdline").read_text()]
            assert KEY not in str(told)


def test_upstreams_are_found_later_and_nothing_is_lost_when_one_is_killed(tmp_path: Path) -> None:
    options = "--engine-options=rows=4,step_ms=5,char_ms=20"
    ports = free_port(), free_port()
    names = [f"127.0.0.1:{port}" for port in ports]
    both = ",".join(f"http://{name}" for name in names)

    def states() -> list[str]:
        return [one["state"] for one in front.status()["workers"]]

    with serving(tmp_path / "front", "--upstreams", both, "--rate", "off", path="/healthz") as front:
        assert ask(front).status_code == 503
        with (
            serving(tmp_path / "a", TONE, options, port=ports[0]) as first,
            serving(tmp_path / "b", TONE, options, port=ports[1]),
        ):
            until(lambda: states() == ["ready", "ready"], "both are found", 60)
            with ThreadPoolExecutor(24) as pool:
                asked = [pool.submit(ask, front, f"Number {n} of many words.") for n in range(96)]
                until(lambda: sum(one.done() for one in asked) >= 20, "some are spoken")
                os.kill(first.process.pid, signal.SIGKILL)
                answers = [one.result() for one in asked]
            assert [one.status_code for one in answers] == [200] * 96
            until(lambda: states()[0] != "ready", "it is noticed")
            assert states()[1] == "ready" and front.status()["ready"]
            first.process.wait(10)


def test_a_local_engine_and_a_small_upstream_speak_together(tmp_path: Path) -> None:
    options = "--engine-options=rows=1,step_ms=5,char_ms=20"
    with serving(tmp_path / "far", TONE, options, "--max-waiting", "1", "--rate", "off") as far:
        flags = [TONE, options, "--upstreams", far.url, "--rate", "off"]
        with serving(tmp_path / "near", *flags) as near:
            until(lambda: [one["state"] for one in near.status()["workers"]] == ["ready"] * 2, "both")
            with ThreadPoolExecutor(16) as pool:
                answers = list(pool.map(lambda n: ask(near, f"Number {n} of some."), range(48)))
            assert [one.status_code for one in answers] == [200] * 48
            lines = httpx.get(f"{far.url}/metrics").text.splitlines()
            count = next(line for line in lines if line.startswith("tts_segment_seconds_count"))
            assert 0 < float(count.rpartition(" ")[2]) < 48
            assert 'tts_segment_failures_total{code="busy"}' in httpx.get(f"{near.url}/metrics").text
            assert near.status()["restarts"] == 0
